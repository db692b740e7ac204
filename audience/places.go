package audience

import "kol-portrait-mcp/schema"

func isCity(e *entry) bool { return e.dimension == schema.DimensionCities }

// citiesExceedProvince reports whether the cities of one province together hold
// over two points more than the province. A province without a row in a whole
// list holds nobody.
func (x *Audience) citiesExceedProvince() bool {
	provinces := x.List(schema.DimensionProvinces)
	sums := map[*entry]float64{}
	for _, city := range x.List(schema.DimensionCities).known {
		sums[city.of.province] += city.Share
	}
	for province, sum := range sums {
		share, listed := provinces.row(province)
		if (listed || provinces.Whole) && sum > share+overfullSum-1+rounding {
			return true
		}
	}
	return false
}

// citiesRoom is the most that cities which are not listed can hold together: here
// in provinces that are known, and elsewhere in those that have no row either.
func (x *Audience) citiesRoom(cities []*entry) (here, elsewhere float64) {
	provinces := x.List(schema.DimensionProvinces)
	count := map[*entry]int{}
	for _, city := range cities {
		count[city.province]++
	}
	for _, city := range cities { // not over the map: the sum needs an order
		n := count[city.province]
		delete(count, city.province)
		if n == 0 {
			continue
		}
		room := x.provinceRoom(city.province, n)
		if _, listed := provinces.row(city.province); listed || provinces.Whole {
			here += room
		} else {
			elsewhere += room
		}
	}
	return here, elsewhere
}

// provinceRoom is the most that n cities of a province which are not listed can
// hold: no more than the province holds besides its listed cities.
func (x *Audience) provinceRoom(province *entry, n int) float64 {
	provinces, cities := x.List(schema.DimensionProvinces), x.List(schema.DimensionCities)
	holds, listed := provinces.row(province)
	if !listed && !provinces.Whole {
		holds = provinces.left()
	}
	for _, city := range cities.known {
		if city.of.province == province {
			holds -= city.Share
		}
	}
	return max(0, min(cities.most(n), holds))
}

// tier returns what the listed cities of a tier hold together, and whether all of
// the tier's cities are known. It is nil where none of them is known to hold
// anybody, or where provinces or cities hold more than everybody.
func (x *Audience) tier(name string) (share *schema.Share, whole bool) {
	if x.List(schema.DimensionProvinces).Overfull || x.List(schema.DimensionCities).Overfull {
		return nil, false
	}
	share, whole = new(schema.Share), true
	for _, city := range known().lexicons[schema.DimensionPlaces].find(name).members {
		if holds := x.share(city); holds != nil {
			*share += *holds
		} else {
			whole = false
		}
	}
	if *share == 0 && !whole {
		return nil, false
	}
	return share, whole
}

// TierWhole reports whether the share of every city of tier1 or new-tier1 is
// known, so that the Summary's share of the tier is exact; else it is a lower
// bound.
func (x *Audience) TierWhole(tier string) bool {
	_, whole := x.tier(tier)
	return whole
}
