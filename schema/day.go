package schema

import "time"

// Day is a day of the vendor, YYYY-MM-DD. It starts at 00:00 Asia/Shanghai,
// which is when the vendor's daily quotas start anew.
type Day string

// DayOf returns the vendor's day that t is in.
func DayOf(t time.Time) Day {
	return Day(t.In(shanghai()).Format(time.DateOnly))
}

// NextDay returns the moment at which the vendor's day after the one of t
// starts, in Shanghai's time.
func NextDay(t time.Time) time.Time {
	year, month, day := t.In(shanghai()).Date()
	return time.Date(year, month, day+1, 0, 0, 0, 0, shanghai())
}

// shanghai is China's one time zone. It has kept one offset since 1991, so no
// time zone database is needed.
func shanghai() *time.Location {
	return time.FixedZone("Asia/Shanghai", 8*60*60)
}

// Usage is what the vendor's day has cost so far, over all processes that
// share a store.
type Usage struct {
	Day       Day       `json:"day"`                 // the vendor's, from 00:00 Asia/Shanghai
	Charged   int       `json:"charged"`             // vendor calls that were, or may have been, charged, those under way included
	Budget    int       `json:"budget,omitempty"`    // most charged calls a day; absent where there is no limit
	Remaining *int      `json:"remaining,omitempty"` // of the budget; absent where there is none
	ResetsAt  time.Time `json:"resetsAt"`            // when the next day starts
	Store     string    `json:"store"`               // sqlite, memory or redis
	Sample    bool      `json:"sample,omitempty"`    // the charges are play money: nothing was paid

	// Callers are those that have a name and a charged call, by name. A caller that
	// has a name sees itself alone.
	Callers []CallerUsage `json:"callers,omitempty"`
}

// CallerUsage is what a caller's collections have cost on the vendor's day.
type CallerUsage struct {
	Name      string `json:"name"`
	Charged   int    `json:"charged"`             // as in Usage
	Budget    int    `json:"budget,omitempty"`    // most charged calls a day of one caller; absent where there is no limit
	Remaining *int   `json:"remaining,omitempty"` // of the budget; absent where there is none
}
