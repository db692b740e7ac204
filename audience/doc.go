// Package audience is the arithmetic on KOLs' follower distributions: what they
// amount to (Summarize), how they compare with a population (the index, TGI,
// in Summarize and Fit), how well they fit whom a campaign is to reach (Target,
// Fit), how several stand side by side and how alike they are (Compare,
// Similarity), what moved since an older portrait (Change), and what to keep in
// mind before relying on any of it (Warnings, ComparisonWarnings,
// UnlistedWarning). Names and places are tables under names, each with its
// source (Name).
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
