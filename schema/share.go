package schema

import "strconv"

// Share is a part of the followers as a fraction from 0 to 1. In memory it is
// exact, so that text and sums are rounded once; as JSON it has four decimals,
// which is finer than any audience estimate and a third of the digits.
type Share float64

// MarshalJSON writes the share with at most four decimals.
func (s Share) MarshalJSON() ([]byte, error) {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(float64(s), 'f', 4, 64), 64)
	if err != nil {
		return nil, err
	}
	return strconv.AppendFloat(nil, rounded, 'f', -1, 64), nil
}
