package dev.lockstep.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Sizes in bytes as people write them: {@code 8,4096,1M} or ranges {@code 8:128M:x2} (times two)
 * and {@code 1M:8M:+1M} (plus one MiB); K, M and G are powers of 1024.
 */
public final class SizeList {
  private static final int MOST = 10_000;

  private SizeList() {}

  /**
   * The sizes in the order written.
   *
   * @throws IllegalArgumentException naming the item that has no sense
   */
  public static List<Long> parse(String text) {
    List<Long> sizes = new ArrayList<>();
    for (String item : text.split(",", -1)) {
      String[] parts = item.strip().split(":", -1);
      if (parts.length == 1) {
        sizes.add(size(parts[0], item));
      } else if (parts.length == 2) {
        addRange(sizes, item, parts[0], parts[1], "x2");
      } else if (parts.length == 3) {
        addRange(sizes, item, parts[0], parts[1], parts[2]);
      } else {
        throw wrong(item, "a range is FROM:TO:xFACTOR or FROM:TO:+STEP");
      }
    }
    return List.copyOf(sizes);
  }

  private static void addRange(
      List<Long> sizes, String item, String fromText, String toText, String step) {
    long from = size(fromText, item);
    long to = size(toText, item);
    boolean times = step.startsWith("x");
    if (!times && !step.startsWith("+")) {
      throw wrong(item, "the step begins with x (times) or + (plus)");
    }
    long by = size(step.substring(1), item);
    if (from > to) {
      throw wrong(item, "the range goes downwards");
    }
    if (times ? by < 2 || from == 0 : by == 0) {
      throw wrong(item, "the range never ends");
    }
    for (long size = from; size <= to; size = times ? size * by : size + by) {
      sizes.add(size);
      if (sizes.size() > MOST) {
        throw wrong(item, "that is more than " + MOST + " sizes");
      }
    }
  }

  private static long size(String text, String item) {
    String number = text.strip().toUpperCase(Locale.ROOT);
    int shift = 0;
    if (!number.isEmpty()) {
      shift = 10 * ("KMG".indexOf(number.charAt(number.length() - 1)) + 1);
    }
    try {
      String digits = shift == 0 ? number : number.substring(0, number.length() - 1);
      long value = Long.parseLong(digits);
      if (value >= 0 && value <= Integer.MAX_VALUE >> shift) {
        return value << shift;
      }
    } catch (NumberFormatException e) {
      throw wrong(item, "'" + text + "' is no number of bytes such as 8, 64K or 16M");
    }
    throw wrong(item, "'" + text + "' is not between 0 and 2 GiB");
  }

  private static IllegalArgumentException wrong(String item, String why) {
    return new IllegalArgumentException("'" + item.strip() + "': " + why);
  }
}
