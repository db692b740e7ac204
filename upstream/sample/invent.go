package sample

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/upstream"
)

// made is a portrait.
type made struct {
	schema.Distributions

	dateKey string
}

// json is the portrait in the vendor's own shape and order.
func (m made) json() string {
	data, _ := json.Marshal(m.InVendorShape()) // cannot fail: the shares are finite
	return fmt.Sprintf(`%s,"dateKey":"%s"}`, data[:len(data)-1], m.dateKey)
}

// invent makes up the portrait for id: the documented one with other shares, of
// an audience up to two age groups younger. The order in which the dice are
// thrown is what makes it the same portrait for good.
func invent(id string) (m made) {
	documented, _ := files.ReadFile(DocumentedID + ".json")
	m.Distributions = upstream.Read(documented).Distributions
	d := newDice(id)
	ages, younger := m.Rows[schema.DimensionAgeGroups], d.below(3)
	was := slices.Clone(ages)
	for i := range ages {
		ages[i].Share = was[(i+younger)%len(was)].Share
	}
	before := byName(m.Rows[schema.DimensionProvinces])
	for _, of := range []schema.Dimension{schema.DimensionAgeGroups, schema.DimensionGender, schema.DimensionInterests, schema.DimensionProvinces, schema.DimensionDevices} {
		vary(d, m.Rows[of])
	}
	after := byName(m.Rows[schema.DimensionProvinces])
	for i, city := range m.Rows[schema.DimensionCities] { // it holds the same part of its province as before
		province := cmp.Or(provinceOf[city.Name], city.Name)
		m.Rows[schema.DimensionCities][i].Share = city.Share * after[province] / before[province]
	}
	for _, of := range []schema.Dimension{schema.DimensionInterests, schema.DimensionProvinces, schema.DimensionCities, schema.DimensionDevices} {
		slices.SortStableFunc(m.Rows[of], func(x, y schema.Row) int { return cmp.Compare(y.Share, x.Share) })
	}
	m.dateKey = time.Date(2026, time.September, 1+d.below(61), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	return m
}

// provinceOf is the province of each documented city that is none itself.
var provinceOf = map[string]string{"深圳": "广东", "广州": "广东", "成都": "四川", "武汉": "湖北", "苏州": "江苏"}

func byName(rows []schema.Row) map[string]float64 {
	shares := make(map[string]float64, len(rows))
	for _, row := range rows {
		shares[row.Name] = row.Share
	}
	return shares
}

// vary moves each share by up to two thirds to either side, and then all so that
// their sum is what it was. The weights are whole, since their sum then comes
// out alike on every machine.
func vary(d dice, rows []schema.Row) {
	total, all := 0.0, 0
	weights := make([]int, len(rows))
	for i, row := range rows {
		weights[i] = int(row.Share*1e6) * (33 + d.below(134))
		total, all = total+row.Share, all+weights[i]
	}
	for i := range rows {
		rows[i].Share = float64(weights[i]) * total / float64(all)
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
