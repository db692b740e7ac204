package schema

import (
	"encoding/json"
	"time"
)

// Portrait is one answer of the vendor with code 0, as it came and as it is
// stored. It never changes.
type Portrait struct {
	ID          string          // of the collection that brought it; never used again
	KOLID       string          // 1 to 64 of A-Z a-z 0-9 _ -
	AsOf        string          // day of the data, YYYY-MM-DD, as read from Data; empty where it names none
	RetrievedAt time.Time       // UTC, to the millisecond
	Fresh       bool            // whether the vendor was asked for fresh data
	Endpoint    Endpoint        // that answered
	Environment Environment     // whose it is
	Sample      bool            // whether it is simulated
	RequestID   string          // the vendor's; empty where it gave none
	Data        json.RawMessage // the vendor's data, byte for byte, readable or not
}

// Collected is a portrait as the answer to one call.
type Collected struct {
	Portrait
	Distributions Distributions // what could be read of Data
	FromStore     bool          // whether the vendor was not asked for this call
	Charged       bool          // whether this call cost one charged vendor call
	OnlyHere      bool          // whether it is kept in this process's memory alone
}

// Source tells where the portrait came from and what it cost.
func (c *Collected) Source() Source {
	return Source{
		Endpoint:    c.Endpoint,
		Deprecated:  c.Endpoint == EndpointPortrait, // as the vendor's page says
		Environment: c.Environment,
		RetrievedAt: c.RetrievedAt,
		FromStore:   c.FromStore,
		Charged:     c.Charged,
		Sample:      c.Sample,
		RequestID:   c.RequestID,
	}
}

// Source tells where a portrait came from and what it cost.
type Source struct {
	Endpoint    Endpoint    `json:"endpoint" jsonschema:"enum=portrait,enum=profile" jsonschema_description:"portrait (V1) or profile (its successor)"`
	Deprecated  bool        `json:"deprecated" jsonschema_description:"Whether the vendor calls that endpoint deprecated"`
	Environment Environment `json:"environment" jsonschema:"enum=global,enum=cn,enum=sample"`
	RetrievedAt time.Time   `json:"retrievedAt" jsonschema_description:"When the vendor answered"`
	FromStore   bool        `json:"fromStore" jsonschema_description:"Answered from this server's store, at no cost"`
	Charged     bool        `json:"charged" jsonschema_description:"Whether this answer cost one charged vendor call"`
	Sample      bool        `json:"sample" jsonschema_description:"True: simulated data that says nothing about a real KOL"`
	RequestID   string      `json:"requestId,omitempty" jsonschema_description:"The vendor's id of the request, for its support"`
}

// Endpoint is one of the vendor's two ways to ask for a portrait.
type Endpoint string

// The vendor's endpoints.
const (
	EndpointPortrait Endpoint = "portrait" // get-kol-fans-portrait V1, deprecated
	EndpointProfile  Endpoint = "profile"  // fans_profile V1, its successor
)

// EndpointPolicy tells which of the vendor's endpoints may be asked.
type EndpointPolicy string

// The endpoint policies.
const (
	PolicyPortrait EndpointPolicy = "portrait" // V1 alone
	PolicyProfile  EndpointPolicy = "profile"  // the successor alone
	PolicyAuto     EndpointPolicy = "auto"     // V1, and the successor where V1 is gone or cannot collect
)

// Environment is the upstream that a server talks to.
type Environment string

// The environments.
const (
	EnvironmentGlobal Environment = "global" // the vendor's international address, HTTPS
	EnvironmentCN     Environment = "cn"     // the vendor's address in mainland China, plain HTTP
	EnvironmentSample Environment = "sample" // the simulated vendor inside this process
)
