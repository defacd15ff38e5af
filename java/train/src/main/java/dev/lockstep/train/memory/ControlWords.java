package dev.lockstep.train.memory;

import dev.lockstep.comm.DataType;
import dev.lockstep.comm.Span;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.Set;

/**
 * What ranks tell each other beside the numbers of a step: one element a word, and in float32 some
 * numbers to be summed, in the header of the first group of a {@link FlatBuffers}. A word that any
 * rank raised is up on all ranks after a sum or an average of {@link #span}, which an exchange may
 * reduce together with the elements behind it or alone. An exchange that changes its payload (a
 * codec) leaves these elements as they are.
 */
public final class ControlWords {
  /** One word's meaning. */
  public enum Word {
    /** This rank was asked to stop after the step. */
    STOP,
    /** This rank's loss or gradients are not finite. */
    FAILED,
    /** Backward reached not all of this rank's parameters. */
    UNUSED,
    /** A checkpoint is due by the clock; raised by rank 0 alone. */
    CHECKPOINT,
    /** A validation is due by the clock; raised by rank 0 alone. */
    VALIDATE,
    /** The time that training may take is over; raised by rank 0 alone. */
    FINISH,
    /** Ranks are gone, and the others form a group without them. */
    REGROUP
  }

  private static final Word[] WORDS = Word.values();

  /** Numbers behind the words that {@link #setSums} may set. */
  private static final int SUMS = 3;

  private final Span span;
  private final DataType type;
  private final ByteBuffer header;

  public ControlWords(FlatBuffers flat) {
    FlatLayout layout = flat.layout();
    type = layout.groups().get(0).dataType();
    span =
        flat.span(0, -layout.headerElements(0), WORDS.length + (type == DataType.F32 ? SUMS : 0));
    header = NativeView.bytes(flat.headerAddress(0), FlatLayout.ALIGNMENT);
  }

  /** The words' elements, to be reduced. */
  public Span span() {
    return span;
  }

  /** Whether {@link #setSums} can be used. */
  public boolean haveSums() {
    return type == DataType.F32;
  }

  /** This rank's terms of sums, at most 3. */
  public void setSums(double... terms) {
    for (int i = 0; i < terms.length; i++) {
      header.putFloat(4 * (WORDS.length + i), (float) terms[i]);
    }
  }

  /** The sum over the ranks, after the words have been reduced; this rank's term before. */
  public double sum(int index) {
    return header.getFloat(4 * (WORDS.length + index));
  }

  /** Raises these words and lowers the others, and sets all terms of sums to 0. */
  public void set(Set<Word> raised) {
    if (haveSums()) {
      setSums(new double[SUMS]);
    }
    for (Word word : WORDS) {
      put(word.ordinal(), raised.contains(word));
    }
  }

  /** Raises a word beside those that are up. */
  public void raise(Word word) {
    put(word.ordinal(), true);
  }

  /** The words that are up. */
  public Set<Word> raised() {
    EnumSet<Word> up = EnumSet.noneOf(Word.class);
    for (Word word : WORDS) {
      if (isUp(word.ordinal())) {
        up.add(word);
      }
    }
    return up;
  }

  private void put(int index, boolean up) {
    switch (type) {
      case F32 -> header.putFloat(4 * index, up ? 1 : 0);
      case F64 -> header.putDouble(8 * index, up ? 1 : 0);
      case F16 -> header.putShort(2 * index, (short) (up ? 0x3C00 : 0));
      case BF16 -> header.putShort(2 * index, (short) (up ? 0x3F80 : 0));
      default -> throw new IllegalStateException("Parameters are floating-point numbers.");
    }
  }

  private boolean isUp(int index) {
    return switch (type.bytes()) {
      case Float.BYTES -> header.getInt(4 * index) != 0;
      case Double.BYTES -> header.getLong(8 * index) != 0;
      default -> header.getShort(2 * index) != 0;
    };
  }
}
