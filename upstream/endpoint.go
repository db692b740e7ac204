package upstream

import (
	"net/url"
	"strconv"

	"kol-portrait-mcp/schema"
)

// endpoint is one of the vendor's ways to ask for a portrait. The data of their
// answers has the same form.
type endpoint struct {
	name  schema.Endpoint
	path  string
	query func(kolID string, fresh bool) url.Values // without the token
}

// portraitEndpoint is V1, which the vendor calls deprecated.
func portraitEndpoint() endpoint {
	return endpoint{
		name: schema.EndpointPortrait,
		path: "/api/xiaohongshu-pgy/get-kol-fans-portrait/v1",
		query: func(kolID string, fresh bool) url.Values {
			return url.Values{"kolId": {kolID}, "acceptCache": {strconv.FormatBool(!fresh)}}
		},
	}
}

// profileEndpoint is the successor of V1. The userId in its path is that very
// word, and it knows no acceptCache.
func profileEndpoint() endpoint {
	return endpoint{
		name:  schema.EndpointProfile,
		path:  "/api/xiaohongshu-pgy/api/solar/kol/data/userId/fans_profile/v1",
		query: func(kolID string, _ bool) url.Values { return url.Values{"userId": {kolID}} },
	}
}
