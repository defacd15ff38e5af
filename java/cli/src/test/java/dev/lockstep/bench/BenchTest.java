package dev.lockstep.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Span;
import dev.lockstep.testing.RankThreads;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BenchTest {
  private static final Iterations FEW = new Iterations(2, 9, 0);
  private static final BenchCase ALL_REDUCE =
      new BenchCase(BenchOperation.ALLREDUCE, 4000, DataType.F32, ReduceOp.SUM, false, false);

  private static List<BenchResult> measure(Communicator group, List<BenchCase> cases) {
    List<BenchResult> results = new ArrayList<>();
    try (Bench bench = new Bench(group, cases)) {
      for (BenchCase parameters : cases) {
        results.add(bench.measure(parameters, FEW));
      }
    }
    return results;
  }

  private static List<BenchCase> everything(boolean registered) {
    List<BenchCase> cases = new ArrayList<>();
    for (BenchOperation operation : BenchOperation.values()) {
      for (DataType type : DataType.values()) {
        for (long bytes : new long[] {0, 1, 100_003}) {
          cases.add(new BenchCase(operation, bytes, type, ReduceOp.SUM, registered, false));
        }
      }
    }
    for (ReduceOp op : ReduceOp.values()) {
      for (DataType type : DataType.values()) {
        cases.add(new BenchCase(BenchOperation.ALLREDUCE, 999, type, op, registered, true));
        cases.add(new BenchCase(BenchOperation.REDUCESCATTER, 999, type, op, registered, false));
      }
    }
    return cases;
  }

  @Test
  void everyOperationOnEveryTypeIsRightOnThreeRanks() throws Exception {
    for (boolean registered : new boolean[] {false, true}) {
      List<List<BenchResult>> byRank =
          RankThreads.run(3, group -> measure(group, everything(registered)));
      assertEquals(byRank.get(0), byRank.get(1), "ranks report alike");
      for (BenchResult result : byRank.get(0)) {
        assertEquals(0, result.errors(), result.toString());
        assertTrue(result.min() <= result.median() && result.median() <= result.max());
      }
    }
  }

  @Test
  void sizesAreWholeElementsAndParts() throws Exception {
    List<BenchCase> cases =
        List.of(
            new BenchCase(BenchOperation.ALLREDUCE, 1, DataType.F64, ReduceOp.SUM, false, false),
            new BenchCase(BenchOperation.ALLTOALL, 8, DataType.F32, ReduceOp.SUM, false, false));
    List<BenchResult> results = RankThreads.run(3, group -> measure(group, cases)).get(0);
    assertEquals(8, results.get(0).bytes());
    assertEquals(12, results.get(1).bytes());
    BenchResult allToAll = results.get(1);
    assertEquals(12 / allToAll.median() * 1e-3, allToAll.algbw(), 1e-12);
    assertEquals(allToAll.algbw() * 2 / 3, allToAll.busbw(), 1e-12);
  }

  /** A group whose {@code faulty}-th all-reduce of spans goes wrong in the way of {@code fault}. */
  private static Communicator broken(Communicator group, int faulty, Fault fault) {
    int[] calls = {0};
    return (Communicator)
        Proxy.newProxyInstance(
            BenchTest.class.getClassLoader(),
            new Class<?>[] {Communicator.class},
            (proxy, method, arguments) -> {
              boolean spans = method.getName().equals("allReduce") && arguments[0] instanceof Span;
              if (spans && arguments.length == 3 && ++calls[0] == faulty) {
                fault.run(group, (Span) arguments[0], (Span) arguments[1]);
                return null;
              }
              try {
                return method.invoke(group, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private interface Fault {
    void run(Communicator group, Span input, Span output);
  }

  private static long errorsWith(int faulty, Fault fault) throws Exception {
    List<Long> errors =
        RankThreads.run(
            2, group -> measure(broken(group, faulty, fault), List.of(ALL_REDUCE)).get(0).errors());
    assertEquals(errors.get(0), errors.get(1));
    return errors.get(0);
  }

  @Test
  void aWrongResultIsFound() throws Exception {
    assertTrue(errorsWith(5, (group, in, out) -> group.allReduce(in, out, ReduceOp.MAX)) > 0);
    assertTrue(
        errorsWith(1, (group, in, out) -> group.allReduce(in, out, ReduceOp.MAX)) > 0,
        "in the warm-up, too");
  }

  @Test
  void aResultThatOneRankNeverGotIsFound() throws Exception {
    long errors =
        errorsWith(
            7,
            (group, in, out) -> {
              Span elsewhere =
                  Span.of(ByteBuffer.allocateDirect((int) (4 * out.count())), DataType.F32);
              group.allReduce(in, group.rank() == 1 ? elsewhere : out, ReduceOp.SUM);
            });
    assertTrue(errors > 500 && errors <= 1000, errors + " of rank 1's 1000 elements");
  }

  @Test
  void ofAWrongElementOneErrorIsCounted() throws Exception {
    long errors =
        errorsWith(
            7,
            (group, in, out) -> {
              group.allReduce(in, out, ReduceOp.SUM);
              ByteBuffer other = ByteBuffer.allocateDirect(4).order(ByteOrder.nativeOrder());
              other.putFloat(0, 77);
              if (group.rank() == 1) {
                group.send(Span.of(other, DataType.F32), 0, 0);
              } else {
                group.receive(out.slice(999, 1), 1, 0);
              }
            });
    assertEquals(1, errors);
  }

  @Test
  void jsonHasTheDocumentedFieldsAndNoOthers() throws Exception {
    List<BenchResult> results =
        RankThreads.run(2, group -> measure(group, List.of(ALL_REDUCE))).get(0);
    JsonNode array = new JsonMapper().readTree(BenchJson.write(results));
    assertEquals(1, array.size());
    JsonNode row = array.get(0);
    List<String> names = new ArrayList<>();
    row.fieldNames().forEachRemaining(names::add);
    assertEquals(
        List.of(
            "operation",
            "algorithm",
            "backend",
            "ranks",
            "bytes",
            "type",
            "registered",
            "in_place",
            "microseconds",
            "algbw",
            "busbw",
            "errors"),
        names);
    assertEquals("allreduce", row.get("operation").textValue());
    assertEquals("in_process", row.get("backend").textValue());
    assertEquals("f32", row.get("type").textValue());
    assertEquals(2, row.get("ranks").intValue());
    assertEquals(4000, row.get("bytes").longValue());
    assertEquals(3, row.get("microseconds").size());
    double median = row.get("microseconds").get("median").doubleValue();
    assertEquals(4000 / (median * 1e-6) / 1e9, row.get("algbw").doubleValue(), 1e-3);
  }

  @Test
  void pingPongNeedsAPartner() {
    BenchCase parameters =
        new BenchCase(BenchOperation.PINGPONG, 8, DataType.F32, ReduceOp.SUM, false, false);
    try (Communicator one = Communicator.single()) {
      assertThrows(IllegalArgumentException.class, () -> measure(one, List.of(parameters)));
    }
  }

  @Test
  void onlyAllReduceAndBroadcastWorkInPlace() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new BenchCase(BenchOperation.ALLGATHER, 8, DataType.F32, ReduceOp.SUM, false, true));
  }
}
