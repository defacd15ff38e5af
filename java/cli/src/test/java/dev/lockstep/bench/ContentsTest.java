package dev.lockstep.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lockstep.comm.DataType;
import dev.lockstep.comm.ReduceOp;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class ContentsTest {
  private static final int COUNT = 20_000;

  private static ByteBuffer written(Pattern pattern, DataType type, int variant) {
    ByteBuffer buffer =
        ByteBuffer.allocateDirect(COUNT * type.bytes()).order(ByteOrder.nativeOrder());
    pattern.write(buffer, variant);
    return buffer;
  }

  @Test
  void theReductionIsTheSumOfTheContributions() {
    for (int ranks : new int[] {1, 2, 7, 300}) {
      Contents contents = new Contents(DataType.F32, ReduceOp.SUM, ranks);
      float[] sums = new float[COUNT];
      for (int rank = 0; rank < ranks; rank++) {
        ByteBuffer own = written(contents.contribution(rank), DataType.F32, 3);
        for (int i = 0; i < COUNT; i++) {
          sums[i] += own.getFloat(4 * i);
        }
      }
      ByteBuffer reduction = written(contents.reduction(), DataType.F32, 3);
      for (int i = 0; i < COUNT; i++) {
        assertEquals(sums[i], reduction.getFloat(4 * i), ranks + " ranks, element " + i);
      }
    }
  }

  @Test
  void everyWrongElementCountsOnce() {
    for (DataType type : DataType.values()) {
      Pattern pattern = new Contents(type, ReduceOp.MAX, 2).moved(1);
      ByteBuffer buffer = written(pattern, type, 0);
      assertEquals(0, pattern.countErrors(buffer, 0));
      for (int element : new int[] {0, 8191, COUNT - 1}) {
        int last = element * type.bytes() + type.bytes() - 1;
        buffer.put(last, (byte) ~buffer.get(last));
      }
      assertEquals(3, pattern.countErrors(buffer, 0), type.toString());
    }
  }

  @Test
  void resultsOfAnotherIterationOrRankAreWrong() {
    Contents contents = new Contents(DataType.F32, ReduceOp.SUM, 2);
    Pattern pattern = contents.moved(0);
    ByteBuffer buffer = written(pattern, DataType.F32, 0);
    for (int variant = 1; variant < Pattern.VARIANTS; variant++) {
      assertMostlyWrong(pattern.countErrors(buffer, variant));
    }
    assertMostlyWrong(contents.moved(1).countErrors(buffer, 0));
  }

  @Test
  void halvesRoundToNearestEven() {
    byte[] bytes = new byte[8];
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    Elements.put(bytes, 0, DataType.BF16, 10 / 3f);
    Elements.put(bytes, 1, DataType.F16, 10 / 3f);
    Elements.put(bytes, 2, DataType.F16, 2049);
    Elements.put(bytes, 3, DataType.F16, 0);
    assertEquals(0x4055, buffer.getShort(0));
    assertEquals(0x42ab, buffer.getShort(2));
    assertEquals(0x6800, buffer.getShort(4));
    assertEquals(0, buffer.getShort(6));
  }

  private static void assertMostlyWrong(long errors) {
    assertEquals(COUNT, errors, COUNT / 10.0);
  }
}
