package dev.lockstep.data.hdf5;

import dev.lockstep.data.UnreadableException;
import java.util.Arrays;

/**
 * The stored chunks of a data set, by number: 24 bytes each, so that a million of them is little.
 * Built once, then sorted; thread-safe from then on.
 */
final class ChunkTable {
  private long[] numbers = new long[16];
  private long[] addresses = new long[16];
  private int[] sizes = new int[16];
  private int[] masks = new int[16];
  private int count;

  /** Adds a chunk; its number is -1 if it lies outside of the shape. */
  void add(long number, long address, long size, int mask) {
    if (number < 0 || address == Storage.UNDEFINED) {
      return;
    }
    if (size < 0 || size > Integer.MAX_VALUE - 8) {
      throw new UnreadableException("has a chunk of " + size + " bytes; 2 GiB are the limit");
    }
    if (count == numbers.length) {
      int more = count * 2;
      numbers = Arrays.copyOf(numbers, more);
      addresses = Arrays.copyOf(addresses, more);
      sizes = Arrays.copyOf(sizes, more);
      masks = Arrays.copyOf(masks, more);
    }
    numbers[count] = number;
    addresses[count] = address;
    sizes[count] = (int) size;
    masks[count++] = mask;
  }

  /** Sorts by number, which most writers' order is already. */
  ChunkTable seal() {
    boolean sorted = true;
    for (int i = 1; i < count && sorted; i++) {
      sorted = numbers[i - 1] < numbers[i];
    }
    if (!sorted) {
      Integer[] order = new Integer[count];
      Arrays.setAll(order, i -> i);
      Arrays.sort(order, (a, b) -> Long.compare(numbers[a], numbers[b]));
      long[] oldNumbers = numbers.clone();
      long[] oldAddresses = addresses.clone();
      int[] oldSizes = sizes.clone();
      int[] oldMasks = masks.clone();
      for (int i = 0; i < count; i++) {
        numbers[i] = oldNumbers[order[i]];
        addresses[i] = oldAddresses[order[i]];
        sizes[i] = oldSizes[order[i]];
        masks[i] = oldMasks[order[i]];
      }
    }
    return this;
  }

  /** The place of a chunk in this table, or -1 if it was never written. */
  int find(long number) {
    int place = Arrays.binarySearch(numbers, 0, count, number);
    return place < 0 ? -1 : place;
  }

  long address(int place) {
    return addresses[place];
  }

  int size(int place) {
    return sizes[place];
  }

  int mask(int place) {
    return masks[place];
  }
}
