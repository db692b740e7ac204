package sample

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// made is a made-up portrait, in the vendor's own shape and order.
type made struct {
	Ages      []group       `json:"ages"`
	Gender    gender        `json:"gender"`
	Interests []named       `json:"interests"`
	Provinces []named       `json:"provinces"`
	Cities    []named       `json:"cities"`
	Devices   []namedDevice `json:"devices"`
	DateKey   string        `json:"dateKey"`
}

type group struct {
	Group   string  `json:"group"`
	Percent float64 `json:"percent"`
}

type gender struct {
	Male   float64 `json:"male"`
	Female float64 `json:"female"`
}

type named struct {
	Name    string  `json:"name"`
	Percent float64 `json:"percent"`
}

type namedDevice struct {
	Name    string  `json:"name"`
	Desc    string  `json:"desc"`
	Percent float64 `json:"percent"`
}

func (m made) json() string {
	var encoded strings.Builder
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false) // the vendor sends <18 as it is
	if err := encoder.Encode(m); err != nil {
		return "null" // cannot be: the shares are finite
	}
	return strings.TrimSpace(encoded.String())
}

// invent is the data of the made-up portrait for id.
func invent(id string) string { return inventFor(id).json() }

// audience is who follows a made-up KOL. A lean goes from -100 to 100.
type audience struct {
	dice      dice
	followers int // on whom the vendor reports
	young     int // lean: older to younger
	women     int // lean: men to women
	north     int // lean: south to north
	home      int // province with far more followers than usual, by index
}

func inventFor(id string) made {
	d := newDice(id)
	a := audience{
		dice:      d,
		followers: 5_000 + d.below(60_000),
		young:     d.lean(),
		women:     d.lean(),
		north:     d.lean(),
		home:      d.below(24), // of the larger ones
	}
	m := made{Ages: a.ages(), Gender: a.gender(), Interests: a.interests(), Devices: a.devices()}
	m.Provinces, m.Cities = a.places()
	day := time.Date(2026, time.September, 1+d.below(61), 0, 0, 0, 0, time.UTC)
	m.DateKey = day.Format(time.DateOnly)
	return m
}

// dice are a sequence of numbers that depends on a KOL's id alone. PCG's
// numbers are fixed by its definition; what math/rand/v2 makes of them is not,
// so that is done here, in integers, which come out alike on every machine.
type dice struct{ pcg *rand.PCG }

func newDice(id string) dice {
	sum := sha256.Sum256([]byte("kol " + id))
	return dice{rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16]))}
}

// below is a number from 0 to n-1.
func (d dice) below(n int) int {
	return int(d.pcg.Uint64()>>33) % n
}

// lean is a number from 20 to 100, or its negative: audiences should differ.
func (d dice) lean() int {
	n := 20 + d.below(81)
	if d.below(2) == 0 {
		return -n
	}
	return n
}

// vary moves n by up to a fifth to either side.
func (d dice) vary(n int) int {
	return n * (80 + d.below(41)) / 100
}

// tilt is n times 1 + lean*strength, where strength is in percent of n at a
// lean of 100. It stays above a tenth of n.
func tilt(n, lean, strength int) int {
	return max(n*(10_000+lean*strength)/10_000, n/10)
}

// apportion divides total among weights, at least 1 to each. What is left by
// rounding down goes to the heaviest, so that the parts sum to total.
func apportion(weights []int, total int) []int {
	sum, heaviest := 0, 0
	for i, w := range weights {
		sum += w
		if w > weights[heaviest] {
			heaviest = i
		}
	}
	parts, left := make([]int, len(weights)), total
	for i, w := range weights {
		parts[i] = max(total*w/sum, 1)
		left -= parts[i]
	}
	parts[heaviest] += left
	return parts
}

// percent is a count of followers as the vendor gives it.
func (a audience) percent(count int) float64 {
	return float64(count) / float64(a.followers)
}

func (a audience) ages() []group {
	table := []struct {
		group        string
		older, young int // weights at the ends of the lean
	}{
		{"<18", 10, 160}, {"18-24", 40, 430}, {"25-34", 260, 310}, {"35-44", 470, 70}, {">44", 220, 30},
	}
	weights := make([]int, len(table))
	for i, row := range table {
		weights[i] = a.dice.vary(row.older*(100-a.young) + row.young*(100+a.young))
	}
	groups := make([]group, len(table))
	for i, count := range apportion(weights, a.followers) {
		groups[i] = group{table[i].group, a.percent(count)}
	}
	return groups
}

func (a audience) gender() gender {
	women := a.followers * (550 + a.women*37/10 + a.dice.below(40)) / 1000 // 18 % to 96 %
	return gender{Male: a.percent(a.followers - women), Female: a.percent(women)}
}

// lot is a name with its usual weight and the leans that change it.
type lot struct {
	name                string
	weight              int
	young, women, north int
}

// draw gives every lot of the table its share of total, largest first.
func (a audience) draw(table []lot, total, keep int) []named {
	slices.SortStableFunc(table, func(x, y lot) int { return cmp.Compare(a.weight(y), a.weight(x)) })
	table = table[:min(keep, len(table))]
	weights := make([]int, len(table))
	for i, l := range table {
		weights[i] = a.dice.vary(a.weight(l))
	}
	rows := make([]named, len(table))
	for i, count := range apportion(weights, total) {
		rows[i] = named{table[i].name, a.percent(count)}
	}
	return sorted(rows)
}

func (a audience) weight(l lot) int {
	n := tilt(l.weight*1000, a.young, l.young)
	n = tilt(n, a.women, l.women)
	return tilt(n, a.north, l.north)
}

func sorted(rows []named) []named {
	slices.SortStableFunc(rows, func(x, y named) int { return cmp.Compare(y.Percent, x.Percent) })
	return rows
}

func (a audience) interests() []named {
	total := a.followers * (760 + a.dice.below(130)) / 1000
	return a.draw([]lot{
		{"美食", 84, 0, 0, 0}, {"生活记录", 74, 0, 10, 0}, {"娱乐", 68, 30, 10, 0}, {"时尚", 65, 20, 50, 0},
		{"家居家装", 50, -40, 10, 0}, {"影视", 50, 10, 0, 0}, {"情感", 45, 10, 30, 0}, {"旅游", 38, 0, 0, 0},
		{"美妆", 45, 30, 80, 0}, {"社科", 30, 0, -30, 0}, {"教育", 35, -40, 10, 0}, {"母婴", 40, -50, 60, 0},
		{"健康", 32, -60, 0, 0}, {"兴趣爱好", 29, 20, -10, 0}, {"汽车", 34, -30, -80, 0}, {"宠物", 24, 20, 20, 0},
		{"职场", 24, 10, 0, 0}, {"健身减肥", 24, 0, 10, 0}, {"素材", 22, 40, 10, 0}, {"人文", 20, -20, -10, 0},
		{"游戏", 36, 60, -80, 0}, {"科技数码", 34, 10, -80, 0}, {"体育运动", 30, 0, -70, 0}, {"动漫", 24, 90, 0, 0},
		{"音乐", 22, 40, 0, 0}, {"摄影", 20, 0, -20, 0}, {"护肤", 28, 0, 80, 0}, {"穿搭", 30, 30, 70, 0},
	}, total, 20)
}

func (a audience) devices() []namedDevice {
	descs := map[string]string{"apple inc.": "苹果", "huawei": "华为", "xiaomi": "小米", "samsung": "三星"}
	total := a.followers * (910 + a.dice.below(70)) / 1000
	rows := a.draw([]lot{
		{"apple inc.", 400, 40, 30, 0}, {"huawei", 220, -50, -10, 0}, {"honor", 80, -10, 0, 0}, {"xiaomi", 90, 10, -50, 0},
		{"vivo", 80, 20, 20, 0}, {"oppo", 75, 20, 20, 0}, {"samsung", 14, 0, 0, 0}, {"oneplus", 12, 20, -50, 0},
		{"realme", 8, 30, -20, 0}, {"ptac", 3, 0, 0, 0},
	}, total, 10)
	devices := make([]namedDevice, len(rows))
	for i, row := range rows {
		devices[i] = namedDevice{Name: row.Name, Desc: cmp.Or(descs[row.Name], row.Name), Percent: row.Percent}
	}
	return devices
}

// places are the provinces and the nine largest cities. A city that is a
// province as well has exactly its share there.
func (a audience) places() (provinces, cities []named) {
	table := []lot{
		{"广东", 119, 0, 0, -60}, {"江苏", 69, 0, 0, -20}, {"山东", 68, 0, 0, 60}, {"北京", 51, 0, 0, 60}, {"浙江", 51, 0, 0, -40},
		{"河南", 46, 0, 0, 30}, {"河北", 41, 0, 0, 80}, {"湖北", 39, 0, 0, -10}, {"四川", 36, 0, 0, -30}, {"辽宁", 36, 0, 0, 90},
		{"上海", 34, 0, 0, -30}, {"福建", 30, 0, 0, -60}, {"湖南", 30, 0, 0, -40}, {"陕西", 29, 0, 0, 40}, {"安徽", 27, 0, 0, -10},
		{"广西", 24, 0, 0, -70}, {"云南", 23, 0, 0, -50}, {"山西", 20, 0, 0, 70}, {"重庆", 19, 0, 0, -30}, {"天津", 17, 0, 0, 80},
		{"江西", 17, 0, 0, -40}, {"黑龙江", 17, 0, 0, 90}, {"吉林", 14, 0, 0, 90}, {"贵州", 12, 0, 0, -50}, {"海外", 40, 0, 0, 0},
		{"内蒙古", 14, 0, 0, 80}, {"新疆", 13, 0, 0, 50}, {"台湾", 8, 0, 0, -40}, {"香港", 8, 0, 0, -60}, {"甘肃", 10, 0, 0, 50},
		{"海南", 9, 0, 0, -70}, {"宁夏", 4, 0, 0, 50}, {"澳门", 3, 0, 0, -60}, {"青海", 2, 0, 0, 30}, {"中国", 2, 0, 0, 0}, {"西藏", 1, 0, 0, 0},
	}
	table[a.home].weight *= 3
	provinces = a.draw(table, a.followers, len(table))
	return provinces, a.cities(provinces)
}

func (a audience) cities(provinces []named) []named {
	table := []struct {
		name, province string
		part           int // of its province, percent; the parts of a province stay below 100 when varied
	}{
		{"北京", "北京", 100}, {"上海", "上海", 100}, {"天津", "天津", 100}, {"重庆", "重庆", 100},
		{"深圳", "广东", 24}, {"广州", "广东", 22}, {"东莞", "广东", 9}, {"佛山", "广东", 8}, {"成都", "四川", 58}, {"武汉", "湖北", 48},
		{"苏州", "江苏", 25}, {"南京", "江苏", 22}, {"杭州", "浙江", 30}, {"宁波", "浙江", 16}, {"西安", "陕西", 60}, {"长沙", "湖南", 40},
		{"郑州", "河南", 32}, {"青岛", "山东", 18}, {"济南", "山东", 15}, {"沈阳", "辽宁", 33}, {"大连", "辽宁", 28}, {"合肥", "安徽", 38},
		{"哈尔滨", "黑龙江", 48}, {"长春", "吉林", 50}, {"石家庄", "河北", 20}, {"福州", "福建", 26}, {"厦门", "福建", 25}, {"昆明", "云南", 45},
	}
	shares := make(map[string]float64, len(provinces))
	for _, p := range provinces {
		shares[p.Name] = p.Percent
	}
	cities := make([]named, len(table))
	for i, row := range table {
		cities[i] = named{row.name, shares[row.province]}
		if row.part < 100 {
			followers := int(shares[row.province] * float64(a.followers))
			cities[i].Percent = a.percent(followers * a.dice.vary(row.part) / 100)
		}
	}
	return sorted(cities)[:9]
}
