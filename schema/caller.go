package schema

import "context"

type callerKey struct{}

// WithCaller returns ctx with the name of whoever calls, as authentication has found it.
func WithCaller(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, callerKey{}, name)
}

// CallerOf returns the name of whoever calls, empty where nobody was asked for it: on
// stdio, on the command line, and without authentication.
func CallerOf(ctx context.Context) string {
	name, _ := ctx.Value(callerKey{}).(string)
	return name
}
