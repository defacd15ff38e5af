package dev.lockstep.mpi;

import static dev.lockstep.mpi.MPI.*;
import static dev.lockstep.mpi.MpiException.check;

import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.annotation.MemberGetter;

/** One rank that uses what the examples leave out: constants, errors, callbacks, arrays, files. */
final class SurfaceRank {
  private SurfaceRank() {}

  public static void main(String[] arguments) throws Exception {
    try (MpiEnvironment mpi = MpiEnvironment.init()) {
      MPI_Comm world = MPI_COMM_WORLD();
      everyConstantHasAValue();
      errorsAreReturned(world);
      errorHandlersAreCalled(world);
      attributesAreCopiedAndDeleted(world);
      structuresAreSentFromBuffers(world);
      windowsArePutInto(world);
      countsAreKeptUntilTheOperationIsComplete(world);
      theToolInterfaceHasVariables();
      System.out.println("surface ok");
    }
  }

  private static void expect(Object wanted, Object got) {
    if (!wanted.equals(got)) {
      throw new AssertionError("expected " + wanted + ", got " + got);
    }
  }

  private static int rank(MPI_Comm comm) {
    int[] rank = new int[1];
    check(MPI_Comm_rank(comm, rank));
    return rank[0];
  }

  private static void everyConstantHasAValue() throws Exception {
    int constants = 0;
    for (Method method : MPI.class.getMethods()) {
      if (method.isAnnotationPresent(MemberGetter.class)) {
        method.invoke(null);
        constants++;
      }
    }
    if (constants < 300) {
      throw new AssertionError("only " + constants + " constants");
    }
    expect(0, MPI_SUCCESS());
    expect(3, Math.min(MPI_VERSION(), 3));
    int[] size = new int[1];
    check(MPI_Type_size(MPI_DOUBLE(), size));
    expect(8, size[0]);
  }

  private static void errorsAreReturned(MPI_Comm world) {
    try (IntPointer number = new IntPointer(1)) {
      check(MPI_Send(number, 1, MPI_INT(), 99, 0, world));
      throw new AssertionError("rank 99 was sent to");
    } catch (MpiException e) {
      expect(MPI_ERR_RANK(), e.errorClass());
      if (e.getMessage().isBlank()) {
        throw new AssertionError("no text");
      }
    }
  }

  private static final class Handler extends MPI_Comm_errhandler_function {
    private int errorClass = -1;

    @Override
    public void call(MPI_Comm comm, IntPointer code) {
      int[] found = new int[1];
      check(MPI_Error_class(code.get(), found));
      errorClass = found[0];
    }
  }

  private static void errorHandlersAreCalled(MPI_Comm world) {
    try (Handler function = new Handler();
        MPI_Comm copy = new MPI_Comm();
        MPI_Errhandler handler = new MPI_Errhandler();
        IntPointer number = new IntPointer(1)) {
      check(MPI_Comm_dup(world, copy));
      check(MPI_Comm_create_errhandler(function, handler));
      check(MPI_Comm_set_errhandler(copy, handler));
      MPI_Send(number, 1, MPI_INT(), 99, 0, copy);
      expect(MPI_ERR_RANK(), function.errorClass);
      check(MPI_Errhandler_free(handler));
      check(MPI_Comm_free(copy));
    }
  }

  private static final class Copy extends MPI_Comm_copy_attr_function {
    @Override
    public int call(
        MPI_Comm comm, int key, Pointer extra, Pointer in, Pointer out, IntPointer flag) {
      // The attribute is an address; its copy lies one further.
      new LongPointer(out).put(in.address() + 1);
      flag.put(1);
      return MPI_SUCCESS();
    }
  }

  private static final class Delete extends MPI_Comm_delete_attr_function {
    private int deleted;

    @Override
    public int call(MPI_Comm comm, int key, Pointer value, Pointer extra) {
      deleted++;
      return MPI_SUCCESS();
    }
  }

  private static void attributesAreCopiedAndDeleted(MPI_Comm world) {
    try (Copy copyFunction = new Copy();
        Delete deleteFunction = new Delete();
        MPI_Comm first = new MPI_Comm();
        MPI_Comm second = new MPI_Comm();
        IntPointer key = new IntPointer(1);
        IntPointer flag = new IntPointer(1);
        LongPointer value = new LongPointer(1)) {
      check(MPI_Comm_dup(world, first));
      check(MPI_Comm_create_keyval(copyFunction, deleteFunction, key, null));
      check(MPI_Comm_set_attr(first, key.get(), key));
      check(MPI_Comm_dup(first, second));
      check(MPI_Comm_get_attr(second, key.get(), value, flag));
      expect(1, flag.get());
      expect(key.address() + 1, value.get());
      check(MPI_Comm_free(second));
      check(MPI_Comm_free(first));
      expect(2, deleteFunction.deleted);
      check(MPI_Comm_free_keyval(key));
    }
  }

  /** A struct of an int and a double, in a direct buffer, from rank 0 to rank 1. */
  private static void structuresAreSentFromBuffers(MPI_Comm world) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(16).order(ByteOrder.nativeOrder());
    try (MPI_Datatype types = new MPI_Datatype(2);
        MPI_Datatype record = new MPI_Datatype();
        MPI_Status status = new MPI_Status()) {
      types.getPointer(0).put(MPI_INT());
      types.getPointer(1).put(MPI_DOUBLE());
      check(MPI_Type_create_struct(2, new int[] {1, 1}, new long[] {0, 8}, types, record));
      check(MPI_Type_commit(record));
      if (rank(world) == 0) {
        buffer.putInt(0, 5).putDouble(8, 2.5);
        check(MPI_Send(new Pointer(buffer), 1, record, 1, 3, world));
      } else {
        check(
            MPI_Recv(
                new Pointer(buffer), 1, record, MPI_ANY_SOURCE(), MPI_ANY_TAG(), world, status));
        expect(5, buffer.getInt(0));
        expect(2.5, buffer.getDouble(8));
        expect(0, status.MPI_SOURCE());
        expect(3, status.MPI_TAG());
        int[] count = new int[1];
        check(MPI_Get_count(status, record, count));
        expect(1, count[0]);
      }
      check(MPI_Type_free(record));
    }
  }

  private static void windowsArePutInto(MPI_Comm world) {
    try (IntPointer memory = new IntPointer(1);
        IntPointer number = new IntPointer(1);
        MPI_Win window = new MPI_Win()) {
      memory.put(-1);
      number.put(10 + rank(world));
      check(MPI_Win_create(memory, 4, 4, MPI_INFO_NULL(), world, window));
      check(MPI_Win_fence(0, window));
      check(MPI_Put(number, 1, MPI_INT(), 1 - rank(world), 0, 1, MPI_INT(), window));
      check(MPI_Win_fence(0, window));
      expect(11 - rank(world), memory.get());
      check(MPI_Win_free(window));
    }
  }

  private static void countsAreKeptUntilTheOperationIsComplete(MPI_Comm world) {
    try (IntPointer mine = new IntPointer(1);
        IntPointer all = new IntPointer(2);
        IntPointer counts = new IntPointer(1, 1);
        IntPointer places = new IntPointer(0, 1);
        MPI_Request request = new MPI_Request()) {
      mine.put(7 + rank(world));
      MPI_Datatype type = MPI_INT();
      check(MPI_Iallgatherv(mine, 1, type, all, counts, places, type, world, request));
      check(MPI_Wait(request, MPI_STATUS_IGNORE()));
      expect(7, all.get(0));
      expect(8, all.get(1));
    }
  }

  private static void theToolInterfaceHasVariables() {
    int[] number = new int[1];
    check(MPI_T_init_thread(MPI_THREAD_SINGLE(), number));
    check(MPI_T_cvar_get_num(number));
    if (number[0] <= 0) {
      throw new AssertionError("no control variables");
    }
    check(MPI_T_finalize());
  }
}
