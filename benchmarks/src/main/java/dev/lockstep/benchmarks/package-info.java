/**
 * Throughput and latency of the library, by JMH and side by side with its peers. Results:
 * benchmarks/RESULTS.md.
 */
package dev.lockstep.benchmarks;
