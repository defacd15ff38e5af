package dev.lockstep.train.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.NativeMemory;
import dev.lockstep.torch.TorchLibraries;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What autograd has saved of a tensor is found in the memory that the storage has later. */
@Timeout(60)
class RefillableStorageTest {
  private static final int ROWS = 3;
  private static final int COLUMNS = 5;
  private static final long BYTES = ROWS * COLUMNS * Float.BYTES;

  @BeforeAll
  static void load() {
    TorchLibraries.load();
  }

  private static NativeMemory filled() {
    NativeMemory memory = NativeMemory.allocate(BYTES);
    for (int i = 0; i < ROWS * COLUMNS; i++) {
      memory.buffer().putFloat(i * Float.BYTES, i + 1);
    }
    return memory;
  }

  @Test
  void backwardReadsTheMemoryThatTheStorageHasThen() {
    try (PointerScope scope = new PointerScope();
        RefillableStorage storage = new RefillableStorage(ScalarType.Float, BYTES)) {
      Tensor weight = torch.zeros(new long[] {ROWS, COLUMNS}, new TensorOptions(ScalarType.Float));
      weight.set_requires_grad(true);
      Tensor input = torch.ones(new long[] {2, COLUMNS}, new TensorOptions(ScalarType.Float));
      input.set_requires_grad(true);
      NativeMemory first = filled();
      storage.fill(first.address());
      weight.set_data(storage.view(0, ROWS, COLUMNS));
      Tensor loss = torch.linear(input, weight).sum();
      assertEquals(2 * 120, loss.item_float());
      storage.empty();
      first.buffer().putFloat(0, 1000);
      first.close();
      try (NativeMemory second = filled()) {
        storage.fill(second.address());
        loss.backward();
        // The gradient of each input is the sum of its column of weights.
        for (int column = 0; column < COLUMNS; column++) {
          float expected = 3 * (column + 1) + 15;
          assertEquals(expected, input.grad().select(0, 1).select(0, column).item_float());
        }
        assertTrue(weight.grad().eq(new Scalar(2)).all().item_bool());
        storage.empty();
      }
    }
  }

  @Test
  void tensorsBehindTheStorageHaveItsElementsFromTheirOffsetOn() {
    try (PointerScope scope = new PointerScope();
        RefillableStorage storage = new RefillableStorage(ScalarType.Float, BYTES);
        NativeMemory memory = filled()) {
      storage.fill(memory.address());
      assertEquals(8, storage.view(4, 2, 3).select(0, 1).select(0, 0).item_float());
      assertEquals(15, storage.view(14).item_float());
    }
  }
}
