package sample

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"kol-portrait-mcp/schema"
)

// made is a portrait in the vendor's own shape and order.
type made struct {
	schema.Distributions

	DateKey string `json:"dateKey"`
}

// invent makes up the portrait for id: the documented one with other shares, of
// an audience up to two age groups younger. The order in which the dice are
// thrown is what makes it the same portrait for good.
func invent(id string) (m made) {
	documented, _ := files.ReadFile(DocumentedID + ".json")
	_ = json.Unmarshal(documented, &m) // cannot fail: a test reads it
	d := newDice(id)
	younger, ages := d.below(3), slices.Clone(m.Ages)
	for i := range ages {
		m.Ages[i].Percent = ages[(i+younger)%len(ages)].Percent
	}
	was := byName(m.Provinces)
	vary(d, m.Ages, func(row *schema.AgeShare) *float64 { return &row.Percent })
	vary(d, []*float64{m.Gender.Male, m.Gender.Female}, func(row **float64) *float64 { return *row })
	vary(d, m.Interests, percentOf)
	vary(d, m.Provinces, percentOf)
	vary(d, m.Devices, func(row *schema.DeviceShare) *float64 { return &row.Percent })
	is := byName(m.Provinces)
	for i, city := range m.Cities { // it holds the same part of its province as before
		province := cmp.Or(provinceOf[city.Name], city.Name)
		m.Cities[i].Percent = city.Percent * is[province] / was[province]
	}
	for _, rows := range [][]schema.NameShare{m.Interests, m.Provinces, m.Cities} {
		slices.SortStableFunc(rows, func(x, y schema.NameShare) int { return cmp.Compare(y.Percent, x.Percent) })
	}
	slices.SortStableFunc(m.Devices, func(x, y schema.DeviceShare) int { return cmp.Compare(y.Percent, x.Percent) })
	m.DateKey = time.Date(2026, time.September, 1+d.below(61), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	return m
}

// provinceOf is the province of each documented city that is none itself.
var provinceOf = map[string]string{"深圳": "广东", "广州": "广东", "成都": "四川", "武汉": "湖北", "苏州": "江苏"}

func percentOf(row *schema.NameShare) *float64 { return &row.Percent }

func byName(rows []schema.NameShare) map[string]float64 {
	shares := make(map[string]float64, len(rows))
	for _, row := range rows {
		shares[row.Name] = row.Percent
	}
	return shares
}

// vary moves each share by up to two thirds to either side, and then all so that
// their sum is what it was. The weights are whole, since their sum then comes
// out alike on every machine.
func vary[T any](d dice, rows []T, percent func(*T) *float64) {
	total, all := 0.0, 0
	weights := make([]int, len(rows))
	for i := range rows {
		share := *percent(&rows[i])
		weights[i] = int(share*1e6) * (33 + d.below(134))
		total, all = total+share, all+weights[i]
	}
	for i := range rows {
		*percent(&rows[i]) = float64(weights[i]) * total / float64(all)
	}
}

// dice are a sequence of numbers that depends on a KOL's id alone. PCG's
// numbers are fixed by its definition; what math/rand/v2 makes of them is not.
type dice struct{ pcg *rand.PCG }

func newDice(id string) dice {
	sum := sha256.Sum256([]byte("kol " + id))
	return dice{rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16]))}
}

// below is a number from 0 to n-1.
func (d dice) below(n int) int { return int(d.pcg.Uint64()>>33) % n }
