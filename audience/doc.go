// Package audience is the arithmetic on a KOL's follower distributions: what
// they amount to (Summarize), what to keep in mind before relying on them
// (Warnings), and what their Chinese names are in English (Name).
//
// Shares are fractions from 0 to 1; sentences show them as percentages with
// one decimal. Sums are taken over the vendor's exact values and rounded only
// when they are shown. A figure that is not known is absent, never zero: a
// city that is not listed, or an age group that has no row, may hold any
// share.
//
// The package does no input or output but reading its embedded name tables,
// and has no clock of its own.
package audience
