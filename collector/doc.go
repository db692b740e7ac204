// Package collector brings the portrait of a KOL and never pays twice for it.
//
// A call is answered from the store where a portrait there is young enough.
// Else it joins the one flight that collects this KOL, or starts it:
//
//	Portrait -> store -> debts -> flight -> lease -> budget -> upstream -> store -> all who wait
//
// A flight belongs to no caller. It runs on its own deadline, so that an answer
// that was paid for lands in the store whoever gave up on it, and is owed to
// whoever left without it: the next such call has it, a fresh one too, unless it
// comes to another process. Processes that share a store agree through it: a
// lease on the KOL makes one of them collect and the others wait, and every call
// that may be charged is counted there before it is sent.
package collector
