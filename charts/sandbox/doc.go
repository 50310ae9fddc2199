// Package sandbox looks for the images of charts in processes of its own.
//
// A template can loop for ever, call itself until the stack is full or fill all
// memory, and Go can stop none of that inside of a process. So the program
// starts itself again as a few workers, each with an empty environment, without
// the right to write files, and with hard limits on memory, and hands charts to
// them. A worker that takes too long or too much is killed, and the chart's
// error says so; the next chart gets a new one. The results are those of
// [charts.Chart.Discover]; the memory of the parent stays small, whatever the
// charts are.
//
// [Main] has to be the first thing that a program's main does, and a test's
// TestMain:
//
//	func main() {
//		sandbox.Main()
//		…
//	}
package sandbox
