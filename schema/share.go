package schema

import (
	"bytes"
	"math"
	"strconv"
)

// Share is a part of the followers as a fraction from 0 to 1. In memory it is
// exact, so that text and sums are rounded once; as JSON it has four decimals,
// which is finer than any audience estimate and a third of the digits.
type Share float64

// MarshalJSON writes the share with at most four decimals.
func (s Share) MarshalJSON() ([]byte, error) { return roundedShare(float64(s), 4) }

// RoughShare is a Share that has three decimals as JSON: what text shows of it,
// where many stand side by side.
type RoughShare float64

// MarshalJSON writes the share with at most three decimals.
func (s RoughShare) MarshalJSON() ([]byte, error) { return roundedShare(float64(s), 3) }

// Index is a TGI (target group index): the share in the audience by the share
// in a baseline, times 100, so that 100 is as in the baseline. As JSON it has
// one decimal.
type Index float64

// MarshalJSON writes the index with at most one decimal.
func (i Index) MarshalJSON() ([]byte, error) { return rounded(float64(i), 1) }

// Score is how well followers fit a target audience, from 0 to 100. As JSON it
// has two decimals.
type Score float64

// MarshalJSON writes the score with at most two decimals.
func (s Score) MarshalJSON() ([]byte, error) { return rounded(float64(s), 2) }

// Similarity is how alike two profiles are, from 0 to 1. As JSON it has two
// decimals.
type Similarity float64

// MarshalJSON writes the similarity with at most two decimals.
func (s Similarity) MarshalJSON() ([]byte, error) { return rounded(float64(s), 2) }

// Years is an age. As JSON it has one decimal.
type Years float64

// MarshalJSON writes the age with at most one decimal.
func (y Years) MarshalJSON() ([]byte, error) { return rounded(float64(y), 1) }

// roundedShare is rounded with as many decimals as a small share needs so as not
// to come out as 0, which would be nobody.
func roundedShare(v float64, decimals int) ([]byte, error) {
	for least := math.Pow10(-decimals) / 2; v > 0 && v < least && decimals < 12; least /= 10 {
		decimals++
	}
	return rounded(v, decimals)
}

// rounded writes a number as JSON with at most the given decimals, of which there
// is at least one.
func rounded(v float64, decimals int) ([]byte, error) {
	text := strconv.AppendFloat(nil, v, 'f', decimals, 64)
	return bytes.TrimSuffix(bytes.TrimRight(text, "0"), []byte(".")), nil
}
