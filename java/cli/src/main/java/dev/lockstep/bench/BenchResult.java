package dev.lockstep.bench;

/**
 * What one case came to, the same on every rank.
 *
 * @param algorithm as the communicator names it
 * @param backend as the configuration names it
 * @param bytes S, as measured
 * @param min,median,max microseconds of an iteration
 * @param algbw S ÷ median, in GB/s (10⁹ bytes)
 * @param busbw algbw × {@link BenchOperation#busFactor}
 * @param errors wrong elements, of all ranks and iterations
 */
public record BenchResult(
    BenchCase parameters,
    String algorithm,
    String backend,
    int ranks,
    long bytes,
    double min,
    double median,
    double max,
    double algbw,
    double busbw,
    long errors) {}
