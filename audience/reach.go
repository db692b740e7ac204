package audience

import (
	"slices"

	"kol-portrait-mcp/schema"
)

// reach bounds the share of the followers who match every dimension at once.
// The vendor crosses no dimensions, so that the matched shares p1..pk alone are
// known; whatever the dependence between them, what they have in common holds
//
//	max(0, p1+...+pk - (k-1)) <= all <= min(p1, ..., pk)
//
// which are the Fréchet-Hoeffding bounds, and p1*...*pk if there is none.
//
// Where a selected name is not listed, its dimension's share is only a lower
// bound, and so are the product and the sum; the minimum then takes the most
// that the dimension can hold.
//
// It is nil where a dimension has no data, and has no product where nothing
// that is selected in a dimension is listed: that would be 0, which is not known.
func reach(matches []match) *schema.Reach {
	if len(matches) == 0 || slices.ContainsFunc(matches, match.unknown) {
		return nil
	}
	independent, atMost := 1.0, 1.0
	var together float64
	for _, m := range matches {
		independent *= m.share
		together += m.share
		atMost = min(atMost, m.most)
	}
	atLeast := together - float64(len(matches)-1)
	if atLeast < rounding {
		atLeast = 0
	}
	r := &schema.Reach{
		AtLeast: schema.Share(min(atLeast, independent)), // a sum loses more in its last digits than a product
		AtMost:  schema.Share(atMost),
	}
	if !slices.ContainsFunc(matches, match.unseen) {
		r.Independent = new(schema.Share(independent))
	}
	return r
}
