package dev.lockstep.comm;

import dev.lockstep.jni.Native;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.List;

/** Several messages posted and awaited in one native call. */
final class NativeExchange {
  private static final int ROW = 6;
  private static final int FEW = 64;

  /** A list as native code takes it, made once for each thread, and its address. */
  private record Rows(LongBuffer values, long address) {
    static Rows of(int transfers) {
      LongBuffer values =
          ByteBuffer.allocateDirect(transfers * ROW * Long.BYTES)
              .order(ByteOrder.nativeOrder())
              .asLongBuffer();
      return new Rows(values, Span.of(values).address());
    }
  }

  private static final ThreadLocal<Rows> ROWS = ThreadLocal.withInitial(() -> Rows.of(FEW));

  private NativeExchange() {}

  static boolean run(long communicator, List<Transfer> transfers, double seconds) {
    int count = transfers.size();
    int held = 0;
    try {
      Rows rows = count <= FEW ? ROWS.get() : Rows.of(count);
      LongBuffer values = rows.values();
      for (int i = 0; i < count; i++) {
        Transfer transfer = transfers.get(i);
        Span data = transfer.data();
        data.enter();
        held++;
        int at = i * ROW;
        values.put(at, transfer.isSend() ? Native.SEND : Native.RECEIVE);
        values.put(at + 1, data.type().code);
        values.put(at + 2, transfer.peer());
        values.put(at + 3, transfer.tag());
        values.put(at + 4, data.address());
        values.put(at + 5, data.count());
      }
      boolean inTime =
          Native.exchange_messages(communicator, count == 0 ? 0 : rows.address(), count, seconds);
      Reference.reachabilityFence(rows);
      return inTime;
    } catch (RuntimeException e) {
      throw NativeErrors.translate(e);
    } finally {
      for (int i = 0; i < held; i++) {
        transfers.get(i).data().exit();
      }
      Reference.reachabilityFence(transfers);
    }
  }
}
