package dev.lockstep.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SizeListTest {
  @Test
  void sizesAreBytesWithBinarySuffixes() {
    assertEquals(List.of(0L, 8L, 4096L, 1L << 20, 1L << 30), SizeList.parse("0, 8,4k,1M,1G"));
  }

  @Test
  void rangesMultiplyOrAdd() {
    assertEquals(List.of(8L, 32L, 128L, 512L), SizeList.parse("8:1K:x4"));
    assertEquals(List.of(1024L, 1536L, 2048L), SizeList.parse("1K:2K:+512"));
    assertEquals(List.of(1L, 2L, 4L, 7L), SizeList.parse("1:4,7"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "8,",
        "eight",
        "-8",
        "K",
        "3G",
        "8:4",
        "0:8:x2",
        "8:16:x1",
        "1:2:+0",
        "8:16:2",
        "1:2:3:4",
        "1:1M:+1",
        "9999999999999999999",
        "9007199254740993K"
      })
  void whatHasNoSenseIsNamed(String text) {
    String item = text.contains(",") ? "" : text;
    Exception e = assertThrows(IllegalArgumentException.class, () -> SizeList.parse(text));
    assertTrue(e.getMessage().startsWith("'" + item + "': "), e.getMessage());
  }
}
