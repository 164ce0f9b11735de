package fleet

import (
	"math"
	"math/rand/v2"
	"time"
)

// Builtin returns the load that the example follows when it is given none: an
// hour with a morning ramp, a steep burst and a decline, in the shape of a
// published hour of requests to a language model. It is the same every time.
func Builtin() Trace {
	random := rand.New(rand.NewPCG(7, 11))
	var trace Trace
	for at := time.Duration(0); ; {
		perSecond := arrivalsPerMinute(at) / 60
		at += time.Duration(-math.Log(1-random.Float64()) / perSecond * float64(time.Second)).Round(time.Millisecond)
		if at >= time.Hour {
			return trace
		}
		trace = append(trace, Request{
			At:        at,
			Context:   draw(contextTokens, random.Float64()),
			Generated: draw(generatedTokens, random.Float64()),
		})
	}
}

// shape is the load's course: arrivals a minute, between which it is linear.
var shape = [...]point{
	{0, 290}, {8, 300}, {16, 350}, {22, 350}, {25, 520}, {32, 545}, {38, 450}, {46, 310}, {52, 260}, {60, 230},
}

// contextTokens and generatedTokens say how large requests are: quantiles,
// between which they are linear.
var (
	contextTokens = [...]point{
		{0, 20}, {.05, 180}, {.25, 400}, {.5, 1000}, {.75, 1200}, {.9, 2700}, {.95, 4000}, {.99, 4200}, {1, 8000},
	}
	generatedTokens = [...]point{
		{0, 8}, {.05, 40}, {.25, 85}, {.5, 130}, {.75, 395}, {.9, 425}, {.95, 450}, {.99, 600}, {1, 1000},
	}
)

type point struct{ x, y float64 }

func arrivalsPerMinute(at time.Duration) float64 { return interpolate(shape[:], at.Minutes()) }

func draw(quantiles [9]point, p float64) int { return int(interpolate(quantiles[:], p)) }

func interpolate(points []point, x float64) float64 {
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		if x <= b.x {
			return a.y + (b.y-a.y)*(x-a.x)/(b.x-a.x)
		}
	}
	return points[len(points)-1].y
}
