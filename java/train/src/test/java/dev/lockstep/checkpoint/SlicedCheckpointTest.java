package dev.lockstep.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tensors of which each rank writes a slice, and a reader gets the whole. */
class SlicedCheckpointTest {
  private static final List<Long> SHAPE = List.of(3L, 4L);

  @TempDir Path temporary;

  /** Columns of the numbers 0 to 11 in three rows, by one rank. */
  private static void write(Path folder, int rank, TensorSlice slice) throws Exception {
    ByteBuffer bytes =
        ByteBuffer.allocateDirect((int) slice.elements() * 4).order(ByteOrder.LITTLE_ENDIAN);
    for (long row = 0; row < slice.outer(); row++) {
      for (long i = 0; i < slice.run(); i++) {
        bytes.putFloat(slice.wholeOffset(row) + i);
      }
    }
    StoredTensor own =
        new StoredTensor("w", TensorType.F32, List.of(3L, slice.count()), bytes.flip());
    CheckpointFolder.writeShare(
        folder,
        rank,
        List.of(new TensorShare(own, new Placement.Sliced(rank, SHAPE, slice))),
        UnaryOperator.identity());
  }

  private Path written(TensorSlice first, TensorSlice second) throws Exception {
    Path folder = temporary.resolve("step");
    write(folder, 0, first);
    write(folder, 1, second);
    CheckpointFolder.seal(folder, 1, 2, JsonNodeFactory.instance.objectNode());
    return folder;
  }

  @Test
  void columnsOfTwoRanksAreReadAsTheWholeTensor() throws Exception {
    List<TensorSlice> slices = TensorSlice.shareOut(3, 4, 1, 1, 2);
    StoredTensor whole = CheckpointFolder.read(written(slices.get(0), slices.get(1))).tensor("w");
    assertEquals(SHAPE, whole.shape());
    for (int i = 0; i < 12; i++) {
      assertEquals(i, whole.data().getFloat(4 * i));
    }
  }

  @Test
  void slicesThatLeaveAGapAreRefused() throws Exception {
    Path folder = written(new TensorSlice(3, 4, 1, 0, 2), new TensorSlice(3, 4, 1, 3, 1));
    CheckpointException refused =
        assertThrows(CheckpointException.class, () -> CheckpointFolder.read(folder));
    assertTrue(refused.getMessage().contains("slices of tensor 'w' overlap, leave a gap"));
  }

  @Test
  void unitsStayTogetherAndTheFirstRanksHaveMore() {
    List<TensorSlice> slices = TensorSlice.shareOut(3, 20, 5, 4, 3);
    assertEquals(List.of(8L, 8L, 4L), slices.stream().map(TensorSlice::count).toList());
    assertEquals(List.of(0L, 8L, 16L), slices.stream().map(TensorSlice::from).toList());
  }
}
