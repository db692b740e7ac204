package schema

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// No keyword of a schema is lost on the way out.
func TestSchemasAreEncodedWhole(t *testing.T) {
	for _, of := range []reflect.Type{
		reflect.TypeFor[PortraitArguments](), reflect.TypeFor[ComparisonArguments](), reflect.TypeFor[PortraitResult](), reflect.TypeFor[Comparison](), reflect.TypeFor[Error](),
	} {
		for _, open := range []bool{false, true} {
			s := reflectType(of, open)
			want, err := json.Marshal(s)
			require.NoError(t, err)
			assert.JSONEq(t, string(want), string(encode(s)))
		}
	}
}
