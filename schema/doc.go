// Package schema holds the words that every part of the server shares: what
// the upstream said of a KOL's followers (Distributions), what it amounts to
// (Summary), whom a campaign is to reach and how well they fit that
// (TargetAudience, Fit), what moved since an older portrait (Change), where it
// came from (Source), what the tools take and give (PortraitArguments and
// Portrait, ComparisonArguments and Comparison), and how a failure is told
// (Error). It also holds the JSON Schemas that clients see, generated from these
// very types.
//
// Shares are fractions from 0 to 1 everywhere in data; only text that a
// person or a model reads shows percentages. A value that is not known is
// absent (a nil pointer, an empty slice, an empty string), never zero.
package schema
