package dev.lockstep.comm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import org.junit.jupiter.api.Test;

class SpanTest {
  private static FloatBuffer floats(int count) {
    return ByteBuffer.allocateDirect(4 * count).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }

  @Test
  void aBufferCountsFromItsPosition() {
    FloatBuffer buffer = floats(10);
    Span whole = Span.of(buffer);
    buffer.position(3);
    Span rest = Span.of(buffer);
    assertEquals(7, rest.count());
    assertEquals(whole.address() + 12, rest.address());
    assertEquals(rest.address(), Span.of(buffer.slice()).address());
  }

  @Test
  void aSliceStaysInside() {
    Span span = Span.of(floats(10));
    assertEquals(span.address() + 8, span.slice(2, 8).address());
    assertThrows(IndexOutOfBoundsException.class, () -> span.slice(2, 9));
    assertThrows(IndexOutOfBoundsException.class, () -> span.slice(-1, 2));
    assertThrows(IndexOutOfBoundsException.class, () -> span.slice(1, Long.MAX_VALUE));
  }

  @Test
  void aHeapBufferIsRefusedWithAdvice() {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Span.of(FloatBuffer.allocate(3)));
    assertTrue(e.getMessage().contains("allocateDirect"), e.getMessage());
  }

  @Test
  void theWrongByteOrderIsRefused() {
    FloatBuffer swapped = ByteBuffer.allocateDirect(8).order(ByteOrder.BIG_ENDIAN).asFloatBuffer();
    assertThrows(IllegalArgumentException.class, () -> Span.of(swapped));
  }

  @Test
  void bytesMustBeWholeElements() {
    ByteBuffer bytes = ByteBuffer.allocateDirect(6);
    assertEquals(3, Span.of(bytes, DataType.BF16).count());
    assertThrows(IllegalArgumentException.class, () -> Span.of(bytes, DataType.F32));
  }
}
