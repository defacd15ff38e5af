package dev.lockstep.data.netcdf;

import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.DataException;
import dev.lockstep.data.Packing;
import dev.lockstep.data.StoredNumber;
import dev.lockstep.data.UnreadableException;
import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import dev.lockstep.data.netcdf.NetcdfHeader.RawVariable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A NetCDF classic file (CDF-1, CDF-2, CDF-5). Variables without the record dimension lie in one
 * piece. The others are cut into records: all variables' first records, then all second ones, and
 * so on, each padded to four bytes, except when there is only one record variable.
 */
public final class NetcdfFile implements ArrayFile {
  /** Up to this span, reading the bytes between two wanted pieces beats another system call. */
  private static final int READ_BYTES = 1 << 16;

  private static final int BLOCK_VALUES = 4096;

  private final Path file;
  private final FileChannel channel;
  private final int version;
  private final Map<String, Layout> layouts = new LinkedHashMap<>();
  private final List<Unreadable> unreadable = new ArrayList<>();
  private final ByteBuffer buffer = ByteBuffer.allocate(READ_BYTES);

  /**
   * Where a variable's values lie; {@code perRecord} is its size for a variable without records.
   */
  private record Layout(
      Variable variable,
      NetcdfType type,
      Packing packing,
      long begin,
      long perRecord,
      long recordBytes) {
    long bytePosition(long index) {
      return begin + index / perRecord * recordBytes + index % perRecord * type.size;
    }
  }

  private NetcdfFile(Path file, FileChannel channel, int version) {
    this.file = file;
    this.channel = channel;
    this.version = version;
  }

  /**
   * Opens a file and reads its header.
   *
   * @throws DataException if it cannot be read, or is damaged or cut short
   */
  public static NetcdfFile open(Path file) {
    try {
      FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
      try {
        NetcdfHeader header = NetcdfHeader.parse(new ByteReader(file, channel, 3));
        NetcdfFile opened = new NetcdfFile(file, channel, header.version());
        opened.layOut(header, channel.size());
        return opened;
      } catch (RuntimeException | IOException e) {
        channel.close();
        throw e;
      }
    } catch (IOException e) {
      throw DataException.cannotOpen(file, e);
    } catch (ArithmeticException e) {
      throw new DataException(
          file.toString(), "states sizes beyond 2⁶³ bytes; the file is damaged", e);
    }
  }

  private void layOut(NetcdfHeader header, long fileSize) {
    List<RawVariable> recordVariables =
        header.variables().stream().filter(RawVariable::isRecord).toList();
    long recordBytes = 0;
    for (RawVariable raw : recordVariables) {
      long bytes = Math.multiplyExact(valuesPerRecord(raw), raw.type().size);
      boolean padded = recordVariables.size() > 1;
      recordBytes = Math.addExact(recordBytes, padded ? Math.addExact(bytes, 3) & ~3L : bytes);
    }
    long records = header.records();
    if (records < 0) {
      records = countRecords(recordVariables, recordBytes, fileSize);
    }
    for (RawVariable raw : header.variables()) {
      Variable variable = raw.isRecord() ? withRecords(raw.variable(), records) : raw.variable();
      long perRecord = raw.isRecord() ? valuesPerRecord(raw) : variable.size();
      Packing packing;
      try {
        packing = packing(raw);
      } catch (UnreadableException e) {
        unreadable.add(
            new Unreadable(
                variable.name(),
                variable.type(),
                variable.dimensions(),
                UnreadableException.reason(e)));
        continue;
      }
      Layout layout =
          new Layout(
              variable, raw.type(), packing, raw.begin(), Math.max(1, perRecord), recordBytes);
      requireInside(layout, fileSize);
      if (layouts.put(variable.name(), layout) != null) {
        throw new DataException(file.toString(), "has two variables called " + variable.name());
      }
    }
  }

  private static Packing packing(RawVariable raw) {
    if (raw.type() == NetcdfType.CHAR) {
      throw new UnreadableException("holds text, not numbers");
    }
    StoredNumber stored = raw.type().stored();
    return Packing.of(raw.attributes(), stored.netcdfFill(), stored);
  }

  private static long valuesPerRecord(RawVariable raw) {
    List<Dimension> dimensions = raw.variable().dimensions();
    return new Variable("", "", dimensions.subList(1, dimensions.size()), Map.of()).size();
  }

  /** A writer that was streaming leaves the count open; whole records in the file count. */
  private static long countRecords(
      List<RawVariable> recordVariables, long recordBytes, long fileSize) {
    long begin = recordVariables.stream().mapToLong(RawVariable::begin).min().orElse(fileSize);
    return recordBytes == 0 ? 0 : Math.max(0, fileSize - begin) / recordBytes;
  }

  private static Variable withRecords(Variable variable, long records) {
    List<Dimension> dimensions = new ArrayList<>(variable.dimensions());
    dimensions.set(0, new Dimension(dimensions.get(0).name(), records));
    return new Variable(variable.name(), variable.type(), dimensions, variable.attributes());
  }

  private void requireInside(Layout layout, long fileSize) {
    long size = layout.variable.size();
    if (size == 0) {
      return;
    }
    long within = Math.multiplyExact((size - 1) % layout.perRecord + 1, layout.type.size);
    long before = Math.multiplyExact((size - 1) / layout.perRecord, layout.recordBytes);
    long end = Math.addExact(layout.begin, Math.addExact(before, within));
    if (end > fileSize) {
      throw new DataException(
          file.toString(),
          "is cut short: variable "
              + layout.variable.name()
              + " ends at byte "
              + end
              + " but the file has "
              + fileSize
              + "; fetch or copy it again");
    }
  }

  @Override
  public String location() {
    return file.toString();
  }

  @Override
  public String format() {
    return "NetCDF classic (CDF-" + version + ")";
  }

  @Override
  public List<Variable> variables() {
    return layouts.values().stream().map(Layout::variable).toList();
  }

  @Override
  public List<Unreadable> unreadable() {
    return unreadable;
  }

  @Override
  public int blockLength(Variable variable) {
    return BLOCK_VALUES;
  }

  @Override
  public void read(Variable variable, long from, int count, double[] values) {
    Layout layout = layouts.get(variable.name());
    if (layout == null) {
      throw new DataException(file.toString(), "has no variable " + variable.name());
    }
    int done = 0;
    while (done < count) {
      done += readSpan(layout, from + done, count - done, values, done);
    }
    layout.packing.decode(values, count);
  }

  /** Reads as many values as one buffer spans; returns how many. */
  private int readSpan(Layout layout, long from, int count, double[] values, int into) {
    long start = layout.bytePosition(from);
    int covered = 1;
    // Values lie in ascending order, so the largest span that fits is found by bisection.
    int tooMany = Math.min(count, READ_BYTES / layout.type.size) + 1;
    while (tooMany - covered > 1) {
      int middle = (covered + tooMany) >>> 1;
      boolean fits =
          layout.bytePosition(from + middle - 1) + layout.type.size - start <= READ_BYTES;
      covered = fits ? middle : covered;
      tooMany = fits ? tooMany : middle;
    }
    int bytes = (int) (layout.bytePosition(from + covered - 1) + layout.type.size - start);
    fill(layout, start, bytes);
    for (int i = 0; i < covered; i++) {
      int position = (int) (layout.bytePosition(from + i) - start);
      values[into + i] = layout.type.get(buffer, position);
    }
    return covered;
  }

  private void fill(Layout layout, long start, int bytes) {
    buffer.clear().limit(bytes);
    try {
      while (buffer.hasRemaining()) {
        if (channel.read(buffer, start + buffer.position()) < 0) {
          throw new DataException(
              file.toString(),
              "became shorter while it was read: variable "
                  + layout.variable.name()
                  + " should have a value at byte "
                  + (start + buffer.position()));
        }
      }
    } catch (IOException e) {
      throw new DataException(
          file.toString(),
          "cannot be read at byte " + start + " (variable " + layout.variable.name() + ")",
          e);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new DataException(file.toString(), "cannot be closed", e);
    }
  }
}
