package sizing

import (
	"github.com/islandbundle/island/sizing/site"
)

// Traffic is what a server receives and sends, at most.
type Traffic struct {
	In  site.Kbps `json:"inKbps"`
	Out site.Kbps `json:"outKbps"`
}

func (t Traffic) plus(other Traffic) Traffic { return Traffic{t.In + other.In, t.Out + other.Out} }

func (t Traffic) times(n int64) Traffic { return Traffic{t.In * site.Kbps(n), t.Out * site.Kbps(n)} }

// Busier returns the direction that carries more: a network card carries its rate
// in each.
func (t Traffic) Busier() site.Kbps { return max(t.In, t.Out) }

// Of returns what the conference server receives and sends for one conference of
// n participants of whom video send video.
//
// It receives from each participant one audio stream, and one video stream from
// those who send one. It sends to each participant up to AudioStreams audio
// streams, with fewer participants up to n; and up to VideoStreams video
// streams where at least so many send video, else as many as others send: at
// most n − 1. (Guide, conferencing.)
func (c Conference) Of(n, video int64) Traffic {
	if n < 1 {
		return Traffic{}
	}
	down := c.down(n, video)
	return Traffic{In: site.Kbps(n)*c.Audio.Value + site.Kbps(video)*c.Video.Value, Out: site.Kbps(n) * down}
}

// down returns what one participant is sent, at most.
func (c Conference) down(n, video int64) site.Kbps {
	videos := min(video, n-1)
	if video >= c.VideoStreams.Value {
		videos = c.VideoStreams.Value
	}
	return site.Kbps(min(n, c.AudioStreams.Value))*c.Audio.Value + site.Kbps(videos)*c.Video.Value
}

// Relayed returns what TURN receives and sends for the relayed participants of
// one conference: each byte that it relays comes in and goes out.
func (c Conference) Relayed(n, video, relayed int64) Traffic {
	if n < 1 || relayed < 1 {
		return Traffic{}
	}
	through := site.Kbps(relayed)*(c.Audio.Value+c.down(n, video)) + site.Kbps(min(relayed, video))*c.Video.Value
	return Traffic{In: through, Out: through}
}

// Worst returns the most that the fullest of several servers carries where each
// load goes to the server that then carries least: total/k + (1 − 1/k) × largest,
// in whole numbers rounded up (R. L. Graham, Bounds on Multiprocessing Timing
// Anomalies, 1969). It never falls when a load is added or grows.
func Worst(total, largest int64, servers int) int64 {
	if servers < 1 {
		return 0
	}
	k := int64(servers)
	return ceilDiv(total+(k-1)*largest, k)
}

// Fullest returns the most that the fullest of several servers carries of some loads,
// as [Worst] does. Loads that are no more than the servers each find one that carries
// nothing, and so none shares a server.
func Fullest(loads, total, largest int64, servers int) int64 {
	if servers > 0 && loads <= int64(servers) {
		return largest
	}
	return Worst(total, largest, servers)
}

func fullestTraffic(loads int64, total, largest Traffic, servers int) Traffic {
	return Traffic{
		In:  site.Kbps(Fullest(loads, int64(total.In), int64(largest.In), servers)),
		Out: site.Kbps(Fullest(loads, int64(total.Out), int64(largest.Out), servers)),
	}
}
