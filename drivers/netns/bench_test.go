package netns

import "testing"

func BenchmarkApplyRouter(b *testing.B) {
	w := newWorld(b)
	w.public()
	s := w.network(10)
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			w.apply(s)
			b.StopTimer()
			w.remove(s.ID)
			b.StartTimer()
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		w.apply(s)
		for b.Loop() {
			w.apply(s)
		}
	})
	b.Run("host", func(b *testing.B) {
		w.apply(s)
		for i := 0; b.Loop(); i++ {
			changed := s
			changed.Hosts = s.Hosts[:1+i%2]
			w.apply(changed)
		}
	})
	b.Run("remove", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			w.apply(s)
			b.StartTimer()
			w.remove(s.ID)
		}
	})
}
