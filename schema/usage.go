package schema

import "time"

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
}
