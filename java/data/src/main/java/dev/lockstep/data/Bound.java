package dev.lockstep.data;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/**
 * An end of a range of coordinates: a number, or of times a year, a month or a day as in {@code
 * 1991}, {@code 1991-03} and {@code 1991-03-01}, all of which belongs to the range.
 *
 * @param text as written
 */
public record Bound(@JsonValue String text) {
  /** Takes numbers as well as texts. */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public static Bound of(Object value) {
    return new Bound(String.valueOf(value));
  }

  /**
   * As a number.
   *
   * @throws IllegalArgumentException if it is none
   */
  public double number() {
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'" + text + "' is no number", e);
    }
  }

  /**
   * Where the time begins, in the units of {@code time}.
   *
   * @throws IllegalArgumentException if it is no date
   */
  public double start(CfTime time) {
    int[] parts = parts();
    return time.value(parts[0], parts.length > 1 ? parts[1] : 1, parts.length > 2 ? parts[2] : 1);
  }

  /** The first time behind it: of a year that of the next year, and so on. */
  public double end(CfTime time) {
    int[] parts = parts();
    return switch (parts.length) {
      case 1 -> time.value(parts[0] + 1, 1, 1);
      case 2 ->
          parts[1] == 12 ? time.value(parts[0] + 1, 1, 1) : time.value(parts[0], parts[1] + 1, 1);
      default -> time.value(parts[0], parts[1], parts[2] + 1);
    };
  }

  private int[] parts() {
    if (!text.matches("\\d{1,4}(-\\d{1,2}){0,2}")) {
      throw new IllegalArgumentException(
          "'" + text + "' is no time; write a year, 1991-03 or 1991-03-01");
    }
    String[] words = text.split("-");
    int[] parts = new int[words.length];
    for (int i = 0; i < words.length; i++) {
      parts[i] = Integer.parseInt(words[i]);
    }
    boolean exists =
        parts[0] >= 1
            && (parts.length < 2 || (parts[1] >= 1 && parts[1] <= 12))
            && (parts.length < 3 || (parts[2] >= 1 && parts[2] <= 31));
    if (!exists) {
      throw new IllegalArgumentException("'" + text + "' is no date");
    }
    return parts;
  }
}
