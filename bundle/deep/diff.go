package deep

import (
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/zstd"
)

// A patch is one zstd frame (RFC 8878) of steps, until the target is whole:
//
//	uvarint   n: how many new bytes follow
//	n bytes   new bytes
//	uvarint   m: how many bytes are like the base's
//	varint    how far to go in the base from where the last step stopped
//	m bytes   what to add to each of the base's bytes, modulo 256: mostly zeros
//
// Bytes that are nearly the base's, such as machine code whose addresses have
// moved, are cheaper as differences than as new ones (Percival, "Naive
// differences of executable code", 2003).

const (
	// window is how far back zstd may look in the steps; it bounds what unpacking takes.
	window = 8 << 20
	// maxSeeds bounds the index of the base: 4 bytes each, and as much again.
	maxSeeds = 8 << 20
	minSeed  = 16
	// dropOff is how many more bytes may differ than agree before two stretches
	// are held to be alike no more.
	dropOff = 128
)

// writePatch writes a patch that makes target of base. It takes memory for an index
// of a quarter to half of the base, at most 64 MiB, besides its arguments.
func writePatch(w io.Writer, base, target []byte) error {
	packed, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedBetterCompression),
		zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	d := differ{w: packed, base: base, target: target, index: newIndex(base)}
	if err := d.run(); err != nil {
		return err
	}
	return packed.Close()
}

type differ struct {
	w            io.Writer
	base, target []byte
	index        *index
	done         int // of the target
	at           int // in the base
}

// stretch is a part of the target that is like one of the base.
type stretch struct{ target, base, size int }

func (d *differ) run() error {
	for d.done < len(d.target) {
		found := d.next()
		if err := d.step(found); err != nil {
			return err
		}
	}
	return nil
}

// next finds the stretch that comes next; one of no size at the end if there is
// none.
func (d *differ) next() stretch {
	// Where the last one stopped is the likeliest place to go on.
	seed := d.index.seed
	if len(d.target)-d.done < seed {
		return stretch{target: len(d.target), base: d.at}
	}
	roll := newRolling(d.target[d.done:d.done+seed], seed)
	for p := d.done; ; p++ {
		if at, ok := d.index.find(roll.sum, d.target[p:p+seed]); ok {
			return d.extend(p, at)
		}
		if p+seed >= len(d.target) {
			return stretch{target: len(d.target), base: d.at}
		}
		roll.shift(d.target[p], d.target[p+seed])
	}
}

// extend makes a seed as long as target and base are alike, in both directions.
func (d *differ) extend(target, base int) stretch {
	seed := d.index.seed
	ahead := alike(min(len(d.target)-target, len(d.base)-base)-seed, func(i int) bool {
		return d.target[target+seed+i] == d.base[base+seed+i]
	})
	behind := alike(min(target-d.done, base), func(i int) bool {
		return d.target[target-1-i] == d.base[base-1-i]
	})
	return stretch{target: target - behind, base: base - behind, size: behind + seed + ahead}
}

// alike returns for how many of up to limit steps more agree than differ.
func alike(limit int, same func(i int) bool) int {
	best, score, bestScore := 0, 0, 0
	for i := range limit {
		if same(i) {
			score++
		} else {
			score--
		}
		if score > bestScore || score == bestScore && same(i) {
			best, bestScore = i+1, score
		}
		if score < bestScore-dropOff {
			break
		}
	}
	return best
}

func (d *differ) step(s stretch) error {
	head := binary.AppendUvarint(nil, uint64(s.target-d.done))
	head = append(head, d.target[d.done:s.target]...)
	head = binary.AppendUvarint(head, uint64(s.size))
	head = binary.AppendVarint(head, int64(s.base-d.at))
	if _, err := d.w.Write(head); err != nil {
		return err
	}
	var buffer [32 << 10]byte
	for i := 0; i < s.size; {
		n := min(len(buffer), s.size-i)
		for k := range n {
			buffer[k] = d.target[s.target+i+k] - d.base[s.base+i+k]
		}
		if _, err := d.w.Write(buffer[:n]); err != nil {
			return err
		}
		i += n
	}
	d.done, d.at = s.target+s.size, s.base+s.size
	return nil
}

// index finds stretches of the base: it knows one of seed bytes at each multiple
// of seed.
type index struct {
	base  []byte
	seed  int
	shift int
	slots []uint32 // 1 + number of the stretch; of several with one hash, the first
}

func newIndex(base []byte) *index {
	x := &index{base: base, seed: minSeed}
	for len(base)/x.seed > maxSeeds {
		x.seed *= 2
	}
	count := len(base) / x.seed
	bits := 10
	for 1<<bits < 2*count && bits < 24 {
		bits++
	}
	x.shift, x.slots = 64-bits, make([]uint32, 1<<bits)
	for i := range count {
		slot := &x.slots[x.slot(newRolling(base[i*x.seed:(i+1)*x.seed], x.seed).sum)]
		if *slot == 0 {
			*slot = uint32(i + 1)
		}
	}
	return x
}

func (x *index) slot(sum uint64) uint64 { return sum * 0x9e3779b97f4a7c15 >> x.shift }

func (x *index) find(sum uint64, want []byte) (int, bool) {
	number := x.slots[x.slot(sum)]
	if number == 0 {
		return 0, false
	}
	at := int(number-1) * x.seed
	return at, string(x.base[at:at+x.seed]) == string(want)
}

// rolling is the hash of Rabin and Karp over a stretch of fixed length.
type rolling struct{ sum, out uint64 }

const rollingFactor = 0x9fb21c651e98df25 // odd, nothing else matters

func newRolling(stretch []byte, size int) rolling {
	r := rolling{out: 1}
	for i := range size {
		r.sum = r.sum*rollingFactor + uint64(stretch[i]) + 1
		r.out *= rollingFactor
	}
	return r
}

func (r *rolling) shift(leaves, enters byte) {
	r.sum = r.sum*rollingFactor + uint64(enters) + 1 - (uint64(leaves)+1)*r.out
}
