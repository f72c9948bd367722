// Package storetest checks an implementation of [session.Store] against every
// rule that the interface states. One call is a store's whole conformance test:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) session.Store {
//			store, err := mystore.New(mystore.Config{Address: address})
//			if err != nil {
//				t.Fatal(err)
//			}
//			t.Cleanup(func() { store.Close() })
//			return store
//		})
//	}
//
// Each rule is a subtest named by the sentence that it checks; one that also
// serves a requirement of this project begins with its ID, as in "M8 …". A
// failure says "rule broken", the rule, and below it what was seen; what the
// rule asks in full is in the documentation of [session.Store].
//
// Run asks for a store once for each rule, many at a time. Where opening one
// costs something, or would get in the way of another (CREATE TABLE), open it
// once, before Run, and return the same each time.
//
// The rules use random keys, so that the stores they are given may share one
// server with each other and with other tests; they expect of it only that it
// evicts nothing while they run. They run in parallel and take a few seconds of
// real time, because a real store's entries expire by its own clock.
//
// [session.ValueLimit] and [session.Availability] are checked where the store
// implements them. That a call returns promptly when its context ends while it
// is waiting can't be provoked from outside, nor can a lost answer, after which
// an Update must not be sent again: test these beside your store.
// docs/stores.md writes a store step by step, those tests included.
package storetest
