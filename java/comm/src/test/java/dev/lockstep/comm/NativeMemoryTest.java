package dev.lockstep.comm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class NativeMemoryTest {

  @Test
  void memoryIsAlignedZeroedAndWritable() {
    try (NativeMemory memory = NativeMemory.allocate(1000)) {
      assertEquals(0, memory.address() % 64);
      ByteBuffer buffer = memory.buffer();
      assertEquals(1000, buffer.remaining());
      assertEquals(0, buffer.getLong(992));
      buffer.putLong(992, 7);
      assertEquals(7, memory.buffer().getLong(992));
    }
  }

  @Test
  void useAfterCloseIsAnExceptionAndClosingTwiceIsNot() {
    NativeMemory memory = NativeMemory.allocate(64);
    memory.close();
    memory.close();
    assertThrows(IllegalStateException.class, memory::address);
    assertThrows(IllegalStateException.class, () -> memory.span(0, 1, DataType.F32));
  }

  @Test
  void spansStayInside() {
    try (NativeMemory memory = NativeMemory.allocate(64)) {
      assertEquals(memory.address() + 8, memory.span(8, 14, DataType.F32).address());
      assertThrows(IndexOutOfBoundsException.class, () -> memory.span(8, 15, DataType.F32));
      assertThrows(IndexOutOfBoundsException.class, () -> memory.span(65, 0, DataType.U8));
      assertThrows(
          IndexOutOfBoundsException.class, () -> memory.span(0, Long.MAX_VALUE, DataType.F64));
    }
  }

  @Test
  void aNegativeSizeIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> NativeMemory.allocate(-1));
  }

  @Test
  void moreThanThereIsGivesAnExceptionAndNoCrash() {
    assertThrows(CommunicationException.class, () -> NativeMemory.allocate(Long.MAX_VALUE / 2));
  }
}
