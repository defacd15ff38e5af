package dev.lockstep.comm;

import java.util.List;

/**
 * How many calls took how long, in buckets four to a power of two, from 32 ns to 120 s: what is
 * read from it is right to a fifth. Immutable.
 *
 * @param buckets calls in bucket b, which begins at (4 + b mod 4) × 2^(b div 4 + 3) nanoseconds
 */
public record LatencyHistogram(List<Long> buckets) {
  public LatencyHistogram {
    buckets = List.copyOf(buckets);
  }

  /** Number of calls. */
  public long count() {
    return buckets.stream().mapToLong(Long::longValue).sum();
  }

  /**
   * The time within which a share of the calls ended: the end of the bucket that holds it.
   *
   * @param share from 0 to 1
   * @return seconds; 0 where there was no call
   */
  public double quantileSeconds(double share) {
    if (!(share >= 0 && share <= 1)) {
      throw new IllegalArgumentException("A quantile is from 0 to 1, not " + share + ".");
    }
    long wanted = Math.max(1, (long) Math.ceil(share * count()));
    long seen = 0;
    for (int bucket = 0; bucket < buckets.size(); bucket++) {
      seen += buckets.get(bucket);
      if (seen >= wanted) {
        return beginNanos(bucket + 1) * 1e-9;
      }
    }
    return 0;
  }

  /** The calls of both. */
  public LatencyHistogram plus(LatencyHistogram other) {
    Long[] sum = new Long[buckets.size()];
    for (int bucket = 0; bucket < sum.length; bucket++) {
      sum[bucket] = buckets.get(bucket) + other.buckets.get(bucket);
    }
    return new LatencyHistogram(List.of(sum));
  }

  /** Where a bucket begins. */
  public static long beginNanos(int bucket) {
    return (4L + bucket % 4) << (bucket / 4 + 3);
  }
}
