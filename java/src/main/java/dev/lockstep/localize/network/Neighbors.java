package dev.lockstep.localize.network;

import java.util.List;

/**
 * The sensors whose positions each sensor's block of the relaxation holds, as compressed rows.
 * Directed. Not copied, and not to be changed.
 *
 * @param offsets i64[sensors + 1]
 * @param sensors i32[offsets[last]]
 */
@SuppressWarnings("ArrayRecordComponent") // Inside the package only, never compared.
public record Neighbors(long[] offsets, int[] sensors) {

  /** From a list for each sensor. */
  public static Neighbors of(List<int[]> lists) {
    long[] offsets = new long[lists.size() + 1];
    for (int i = 0; i < lists.size(); i++) {
      offsets[i + 1] = offsets[i] + lists.get(i).length;
    }
    int[] sensors = new int[Math.toIntExact(offsets[lists.size()])];
    for (int i = 0; i < lists.size(); i++) {
      System.arraycopy(lists.get(i), 0, sensors, (int) offsets[i], lists.get(i).length);
    }
    return new Neighbors(offsets, sensors);
  }
}
