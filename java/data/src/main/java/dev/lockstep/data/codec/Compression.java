package dev.lockstep.data.codec;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import com.github.luben.zstd.ZstdInputStream;
import dev.lockstep.data.UnreadableException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import java.util.zip.InflaterInputStream;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;

/**
 * Undoes one compression. Damaged bytes, and such as expand to more than is expected, are an {@link
 * UnreadableException}. Thread-safe.
 */
public enum Compression {
  GZIP("gzip"),
  ZLIB("zlib"),
  ZSTD("Zstandard"),
  /** A raw block, without a frame. */
  LZ4("LZ4");

  private final String label;

  Compression(String label) {
    this.label = label;
  }

  /**
   * Decompresses.
   *
   * @param bytes of which those from {@code from} on are the compressed ones, {@code count} of them
   * @param most bytes that may come out
   */
  public byte[] decode(byte[] bytes, int from, int count, int most) {
    try {
      return switch (this) {
        case GZIP -> drain(new GZIPInputStream(new ByteArrayInputStream(bytes, from, count)), most);
        case ZLIB ->
            drain(new InflaterInputStream(new ByteArrayInputStream(bytes, from, count)), most);
        case ZSTD -> zstd(bytes, from, count, most);
        case LZ4 -> lz4(bytes, from, count, most);
      };
    } catch (IOException | ZstdException | LZ4Exception e) {
      throw new UnreadableException("is damaged: a " + label + " chunk makes no sense", e);
    }
  }

  private static byte[] zstd(byte[] bytes, int from, int count, int most) throws IOException {
    long size = Zstd.getFrameContentSize(bytes, from, count);
    if (size <= 0 || size > most) {
      // Streams do not tell their size.
      return drain(new ZstdInputStream(new ByteArrayInputStream(bytes, from, count)), most);
    }
    byte[] out = new byte[(int) size];
    long written = Zstd.decompressByteArray(out, 0, out.length, bytes, from, count);
    if (Zstd.isError(written)) {
      throw new IOException(Zstd.getErrorName(written));
    }
    return written == size ? out : Arrays.copyOf(out, (int) written);
  }

  private static byte[] lz4(byte[] bytes, int from, int count, int most) {
    byte[] out = new byte[most];
    int written =
        LZ4Factory.safeInstance().safeDecompressor().decompress(bytes, from, count, out, 0, most);
    return written == most ? out : Arrays.copyOf(out, written);
  }

  private static byte[] drain(InputStream in, int most) throws IOException {
    try (in) {
      byte[] out = in.readNBytes(most);
      if (in.read() >= 0) {
        throw new IOException("more than " + most + " bytes");
      }
      return out;
    }
  }
}
