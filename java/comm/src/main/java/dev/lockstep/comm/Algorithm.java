package dev.lockstep.comm;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.jni.Native;
import java.util.Locale;

/** How a collective is carried out. Names are the same in configurations and in tuning files. */
public enum Algorithm {
  /** Nothing to do (a group of one), or no collective. */
  @JsonProperty("none")
  NONE(Native.NONE),
  /** Reduce-scatter and all-gather around a ring. */
  @JsonProperty("ring")
  RING(Native.RING),
  /** Whole vectors, exchanged with ever farther partners. */
  @JsonProperty("recursive-doubling")
  RECURSIVE_DOUBLING(Native.RECURSIVE_DOUBLING),
  /** Rabenseifner's: halves of what is left, then back. */
  @JsonProperty("halving-doubling")
  HALVING_DOUBLING(Native.HALVING_DOUBLING),
  /** Up and down one tree. */
  @JsonProperty("binomial-tree")
  BINOMIAL_TREE(Native.BINOMIAL_TREE),
  /** Two trees, each for one half. */
  @JsonProperty("double-binary-tree")
  DOUBLE_BINARY_TREE(Native.DOUBLE_BINARY_TREE),
  /** Everyone with the root. */
  @JsonProperty("linear")
  LINEAR(Native.LINEAR),
  /** Everyone with everyone, one after the other. */
  @JsonProperty("pairwise")
  PAIRWISE(Native.PAIRWISE),
  /** Of the barrier. */
  @JsonProperty("dissemination")
  DISSEMINATION(Native.DISSEMINATION),
  /** Each rank reads its peers' memory (one host). */
  @JsonProperty("direct")
  DIRECT(Native.DIRECT),
  /** {@link #DIRECT} inside hosts, another one between their leaders. */
  @JsonProperty("hierarchical")
  HIERARCHICAL(Native.HIERARCHICAL),
  /** The backend's own. */
  @JsonProperty("library")
  LIBRARY(Native.LIBRARY);

  final int code;

  Algorithm(int code) {
    this.code = code;
  }

  /** As in configurations and tuning files: {@code recursive-doubling}. */
  public String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  static Algorithm of(int code) {
    for (Algorithm algorithm : values()) {
      if (algorithm.code == code) {
        return algorithm;
      }
    }
    throw new IllegalArgumentException(code + " is the code of no algorithm.");
  }
}
