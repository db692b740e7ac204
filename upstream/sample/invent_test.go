package sample

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

func sum(rows []named) float64 {
	total := 0.0
	for _, row := range rows {
		total += row.Percent
	}
	return total
}

func shares(rows []named) map[string]float64 {
	byName := make(map[string]float64, len(rows))
	for _, row := range rows {
		byName[row.Name] = row.Percent
	}
	return byName
}

func fallsOff(rows []named) bool {
	return slices.IsSortedFunc(rows, func(x, y named) int {
		switch {
		case x.Percent > y.Percent:
			return -1
		case x.Percent < y.Percent:
			return 1
		}
		return 0
	})
}

// The digests change only with the generator itself. They hold people's
// examples and other packages' golden files still.
func TestInventedPortraitsAreStable(t *testing.T) {
	for id, want := range map[string]string{
		"kol-1":                    "7d3b965017ee9036",
		"5f3c1a2b0000000001009abc": "fab9e519ed778604",
	} {
		digest := sha256.Sum256([]byte(invent(id)))
		assert.Equal(t, want, hex.EncodeToString(digest[:8]), id)
	}
}

func TestInventedPortraitsArePlausible(t *testing.T) {
	for n := range 500 {
		id := fmt.Sprintf("kol-%d", n)
		m := inventFor(id)

		ages := 0.0
		for i, group := range m.Ages {
			assert.Equal(t, []string{"<18", "18-24", "25-34", "35-44", ">44"}[i], group.Group)
			assert.Positive(t, group.Percent, id)
			ages += group.Percent
		}
		assert.Len(t, m.Ages, 5)
		assert.InDelta(t, 1, ages, 1e-9, id)

		assert.InDelta(t, 1, m.Gender.Male+m.Gender.Female, 1e-9, id)
		assert.Positive(t, min(m.Gender.Male, m.Gender.Female), id)

		assert.Len(t, m.Interests, 20)
		assert.True(t, 0.75 <= sum(m.Interests) && sum(m.Interests) <= 0.9, "%s: %g", id, sum(m.Interests))
		assert.Len(t, m.Provinces, 36)
		assert.InDelta(t, 1, sum(m.Provinces), 1e-9, id)
		assert.Len(t, m.Cities, 9)
		assert.Len(t, m.Devices, 10)
		devices := make([]named, len(m.Devices))
		for i, device := range m.Devices {
			devices[i] = named{device.Name, device.Percent}
			assert.NotEmpty(t, device.Desc)
		}
		assert.True(t, 0.9 <= sum(devices) && sum(devices) <= 0.99, "%s: %g", id, sum(devices))

		for dimension, rows := range map[string][]named{
			"interests": m.Interests, "provinces": m.Provinces, "cities": m.Cities, "devices": devices,
		} {
			assert.True(t, fallsOff(rows), "%s: %s", id, dimension)
			assert.Len(t, shares(rows), len(rows), "%s: %s: a name comes twice", id, dimension)
			assert.Positive(t, rows[len(rows)-1].Percent, "%s: %s", id, dimension)
		}
		assert.True(t, "2026-09-01" <= m.DateKey && m.DateKey <= "2026-10-31", m.DateKey)
	}
}

func TestCitiesAgreeWithTheirProvinces(t *testing.T) {
	provinceOf := map[string]string{
		"深圳": "广东", "广州": "广东", "东莞": "广东", "佛山": "广东", "成都": "四川", "武汉": "湖北", "苏州": "江苏", "南京": "江苏",
		"杭州": "浙江", "宁波": "浙江", "西安": "陕西", "长沙": "湖南", "郑州": "河南", "青岛": "山东", "济南": "山东", "沈阳": "辽宁",
		"大连": "辽宁", "合肥": "安徽", "哈尔滨": "黑龙江", "长春": "吉林", "石家庄": "河北", "福州": "福建", "厦门": "福建", "昆明": "云南",
	}
	for n := range 500 {
		m := inventFor(fmt.Sprintf("kol-%d", n))
		provinces, within := shares(m.Provinces), map[string]float64{}
		for _, city := range m.Cities {
			if share, both := provinces[city.Name]; both {
				assert.Equal(t, share, city.Percent, city.Name) //nolint:testifylint // exactly the same
				continue
			}
			province, known := provinceOf[city.Name]
			assert.True(t, known, city.Name)
			within[province] += city.Percent
			assert.LessOrEqual(t, within[province], provinces[province], city.Name)
		}
	}
}

func TestAudiencesDiffer(t *testing.T) {
	var young, old, women, men, north, south int
	for n := range 200 {
		m := inventFor(fmt.Sprintf("kol-%d", n))
		if m.Ages[0].Percent+m.Ages[1].Percent > 0.45 {
			young++
		}
		if m.Ages[3].Percent+m.Ages[4].Percent > 0.45 {
			old++
		}
		if m.Gender.Female > 0.65 {
			women++
		}
		if m.Gender.Male > 0.5 {
			men++
		}
		provinces := shares(m.Provinces)
		ratio := (provinces["辽宁"] + provinces["河北"] + provinces["黑龙江"]) / (provinces["广东"] + provinces["福建"] + provinces["广西"])
		if ratio > 1 {
			north++
		}
		if ratio < 0.4 {
			south++
		}
	}
	for kind, count := range map[string]int{"young": young, "old": old, "women": women, "men": men, "north": north, "south": south} {
		assert.Greater(t, count, 30, "of 200 audiences, %s", kind)
	}
}
