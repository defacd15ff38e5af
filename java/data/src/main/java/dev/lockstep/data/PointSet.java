package dev.lockstep.data;

/**
 * The points of a grid that were kept, one bit each, so that grids larger than memory can have
 * holes: a list of positions would need 64 times as much. Points are added in ascending order.
 */
public final class PointSet {
  private static final int WORDS_PER_BLOCK = 8;

  private final long[] words;

  /** Points kept before each block of 512; filled by {@link #seal}. */
  private long[] ranks = {};

  private long size;

  /** None of {@code points} yet. */
  public PointSet(long points) {
    long wordCount = (points + 63) >>> 6;
    if (wordCount > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "a grid of " + points + " points is too large; the limit is " + 64L * Integer.MAX_VALUE);
    }
    words = new long[(int) wordCount];
  }

  /** Keeps a point. */
  public void add(long point) {
    words[(int) (point >>> 6)] |= 1L << point;
  }

  /** Ends adding; only now points can be counted. */
  public PointSet seal() {
    ranks = new long[words.length / WORDS_PER_BLOCK + 1];
    size = 0;
    for (int w = 0; w < words.length; w++) {
      if (w % WORDS_PER_BLOCK == 0) {
        ranks[w / WORDS_PER_BLOCK] = size;
      }
      size += Long.bitCount(words[w]);
    }
    if (words.length % WORDS_PER_BLOCK == 0) {
      ranks[ranks.length - 1] = size;
    }
    return this;
  }

  /** How many are kept. */
  public long size() {
    return size;
  }

  /** The point with exactly {@code index} kept points before it. */
  public long select(long index) {
    if (index < 0 || index >= size) {
      throw new IndexOutOfBoundsException("sample " + index + " of " + size);
    }
    // The last block with at most that many points before it: empty blocks repeat their rank.
    int block = 0;
    for (int after = ranks.length; after - block > 1; ) {
      int middle = (block + after) >>> 1;
      if (ranks[middle] <= index) {
        block = middle;
      } else {
        after = middle;
      }
    }
    long left = index - ranks[block];
    int word = block * WORDS_PER_BLOCK;
    for (int count = Long.bitCount(words[word]);
        left >= count;
        count = Long.bitCount(words[word])) {
      left -= count;
      word++;
    }
    long bits = words[word];
    for (; left > 0; left--) {
      bits &= bits - 1;
    }
    return ((long) word << 6) + Long.numberOfTrailingZeros(bits);
  }
}
