package dev.lockstep.train.memory;

import dev.lockstep.comm.DataType;
import dev.lockstep.comm.Span;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.Set;

/**
 * What ranks tell each other beside the numbers of a step: one element a word, in the header of the
 * first group of a {@link FlatBuffers}. A word that any rank raised is up on all ranks after a sum
 * or an average of {@link #span}, which an exchange may reduce together with the elements behind it
 * or alone. An exchange that changes its payload (a codec) leaves these elements as they are.
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

  private final Span span;
  private final DataType type;
  private final ByteBuffer header;

  public ControlWords(FlatBuffers flat) {
    FlatLayout layout = flat.layout();
    type = layout.groups().get(0).dataType();
    span = flat.span(0, -layout.headerElements(0), WORDS.length);
    header = NativeView.bytes(flat.headerAddress(0), FlatLayout.ALIGNMENT);
  }

  /** The words' elements, to be reduced. */
  public Span span() {
    return span;
  }

  /** Raises these words and lowers the others. */
  public void set(Set<Word> raised) {
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
