/**
 * Measures collectives in the manner of nccl-tests and the OSU micro-benchmarks: {@link
 * dev.lockstep.bench.Bench} times one operation over sizes on a group and checks every result.
 */
@NullMarked
package dev.lockstep.bench;

import org.jspecify.annotations.NullMarked;
