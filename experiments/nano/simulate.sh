#!/usr/bin/env bash
# Simulates the data sets of recipe.yaml into out/nano, a few minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/../.."
go build -o out/gowalrus ./cmd/gowalrus
for system in acoustics advection burgers diffusion euler_open euler_periodic \
	kuramoto_sivashinsky navier_stokes rayleigh_benard shallow_water; do
	out/gowalrus simulate --system "$system" --trajectories 12 --steps 40 --seed 7 --out out/nano
done
