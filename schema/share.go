package schema

import (
	"bytes"
	"strconv"
)

// Share is a part of the followers as a fraction from 0 to 1. In memory it is
// exact, so that text and sums are rounded once; as JSON it has four decimals,
// which is finer than any audience estimate and a third of the digits.
type Share float64

// MarshalJSON writes the share with at most four decimals.
func (s Share) MarshalJSON() ([]byte, error) { return rounded(float64(s), 4) }

// RoughShare is a Share that has three decimals as JSON: what text shows of it,
// where many stand side by side.
type RoughShare float64

// MarshalJSON writes the share with at most three decimals.
func (s RoughShare) MarshalJSON() ([]byte, error) { return rounded(float64(s), 3) }

// Index is a TGI (target group index): the share in the audience by the share
// in a baseline, times 100, so that 100 is as in the baseline. As JSON it has
// one decimal.
type Index float64

// MarshalJSON writes the index with at most one decimal.
func (i Index) MarshalJSON() ([]byte, error) { return rounded(float64(i), 1) }

// rounded writes a number as JSON with at most the given decimals, of which there
// is at least one.
func rounded(v float64, decimals int) ([]byte, error) {
	text := strconv.AppendFloat(nil, v, 'f', decimals, 64)
	return bytes.TrimSuffix(bytes.TrimRight(text, "0"), []byte(".")), nil
}
