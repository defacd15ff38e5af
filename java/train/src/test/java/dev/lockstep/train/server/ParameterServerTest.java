package dev.lockstep.train.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Channel;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.Incoming;
import dev.lockstep.comm.Span;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.OptimizerConfig.Type;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A parameter server without a trainer, in one process and between ranks. */
@Timeout(60)
class ParameterServerTest {
  private static OptimizerConfig sgd(double rate, double momentum) {
    return OptimizerConfig.of(Type.SGD, rate, momentum, null, null, null, null, null, null);
  }

  @Test
  void anUpdateTakesTheMeanOfTheGradientsThatWait() {
    try (ParameterServer server = new ParameterServer(sgd(0.5, 0), 2)) {
      server.set("weights", new float[] {1, 2});
      server.accumulate("weights", new float[] {2, 0});
      assertFalse(server.isReady("weights"));
      assertFalse(server.applyIfReady("weights"));
      server.accumulate("weights", new float[] {0, 4});
      assertTrue(server.isReady("weights"));
      server.apply("weights");
      assertArrayEquals(new float[] {0.5f, 1}, server.get("weights"));
      assertEquals(1, server.version("weights"));
      assertFalse(server.isReady("weights"));
    }
  }

  @Test
  void everyNameHasMomentumOfItsOwnUntilItIsSetAgain() {
    try (ParameterServer server = new ParameterServer(sgd(1, 0.5), 1)) {
      for (String name : Set.of("a", "b")) {
        server.set(name, new float[] {0});
      }
      for (int i = 0; i < 2; i++) {
        server.accumulate("a", new float[] {1});
        server.apply("a");
      }
      server.accumulate("b", new float[] {1});
      server.apply("b");
      assertArrayEquals(new float[] {-2.5f}, server.get("a"), "1, then 1 + 0.5");
      assertArrayEquals(new float[] {-1}, server.get("b"));
      server.set("a", new float[] {0});
      server.accumulate("a", new float[] {1});
      server.apply("a");
      assertArrayEquals(new float[] {-1}, server.get("a"), "no momentum is left");
    }
  }

  @Test
  void whatIsWrongIsRefusedAndChangesNothing() {
    try (ParameterServer server = new ParameterServer(sgd(1, 0), 1)) {
      server.set("weights", new float[] {1});
      assertSays("There are no parameters bias; there are [weights].", () -> server.get("bias"));
      assertSays("has 2 numbers", () -> server.accumulate("weights", new float[2]));
      assertSays("number 0 is NaN", () -> server.accumulate("weights", new float[] {Float.NaN}));
      assertThrows(IllegalStateException.class, () -> server.apply("weights"));
      server.accumulate("weights", new float[] {5});
      server.clear("weights");
      assertThrows(IllegalStateException.class, () -> server.apply("weights"));
      assertArrayEquals(new float[] {1}, server.get("weights"));
    }
    assertThrows(IllegalArgumentException.class, () -> new ParameterServer(sgd(1, 0), 0));
  }

  private static void assertSays(String text, Runnable call) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, call::run);
    assertTrue(e.getMessage().contains(text), e.getMessage());
  }

  /** Ranks 0 and 1 serve, 2 and 3 push to both of them at once. */
  @Test
  void ranksReachTheServersOfOthersByName() throws Exception {
    int pushes = 50;
    RankThreads.run(
        4,
        group -> {
          if (group.rank() < 2) {
            serve(group, pushes);
            return null;
          }
          ParameterClient client = new ParameterClient(group, 0, 1);
          if (group.rank() == 2) {
            for (int i = 0; i < 8; i++) {
              client.set("layer" + i, new float[] {i, 0});
            }
          }
          group.barrier();
          assertEquals(8, client.names().size());
          for (int push = 0; push < pushes; push++) {
            client.accumulate("layer3", new float[] {0, 1});
            client.applyIfReady("layer3");
          }
          assertSays("There are no parameters gone", () -> client.get("gone"));
          assertThrows(IllegalStateException.class, () -> client.apply("layer4"));
          group.barrier();
          assertArrayEquals(new float[] {5, 0}, client.get("layer5"));
          float[] updated = client.get("layer3");
          assertEquals(3, updated[0]);
          // Each update takes the mean of what waited, so they add up to their number.
          assertEquals(-client.version("layer3"), updated[1]);
          assertTrue(client.version("layer3") >= pushes / 2, Arrays.toString(updated));
          group.barrier();
          return null;
        });
  }

  private static void serve(Communicator group, int pushes) {
    try (ParameterServer server = new ParameterServer(sgd(1, 0), 2);
        ParameterService service = server.serve(group)) {
      for (int i = 0; i < 3; i++) {
        group.barrier();
      }
      Set<String> own = server.names();
      assertFalse(own.isEmpty(), "names are spread over the servers");
      assertTrue(own.size() < 8, own + " of " + pushes);
    }
  }

  @Test
  void aClientsDeathIsNoConcernOfTheOthers() throws Exception {
    RankThreads.run(
        3,
        group -> {
          if (group.rank() == 0) {
            try (ParameterServer server = new ParameterServer(sgd(1, 0), 1)) {
              server.set("weights", new float[] {0});
              ParameterService service = server.serve(group);
              group.channel(1, 7).receive(Span.of(direct(1))).await();
              assertArrayEquals(new float[] {-3}, server.get("weights"));
              service.close();
            }
            return null;
          }
          if (group.rank() == 2) {
            group.close();
            return null;
          }
          ParameterClient client = new ParameterClient(group, 0);
          while (!client.isReady("weights") && client.version("weights") < 3) {
            client.accumulate("weights", new float[] {1});
            client.apply("weights");
          }
          group.channel(0, 7).send(Span.of(direct(1))).await();
          return null;
        });
  }

  @Test
  void whateverFailsInACallIsAnAnswer() {
    byte[] call = new StoreCall(StoreCall.Kind.GET, "weights", StoreCall.NONE).encode(7);
    for (Throwable failure : List.of(new ArithmeticException("odd"), new OutOfMemoryError("odd"))) {
      ParameterStore broken =
          (ParameterStore)
              Proxy.newProxyInstance(
                  ParameterStore.class.getClassLoader(),
                  new Class<?>[] {ParameterStore.class},
                  (proxy, method, arguments) -> {
                    throw failure;
                  });
      byte[] answer = StoreCall.answer(call, broken);
      assertEquals(7, StoreCall.number(answer));
      IllegalStateException e =
          assertThrows(IllegalStateException.class, () -> StoreCall.result(answer));
      assertTrue(e.getMessage().contains(failure.toString()), e.getMessage());
    }
  }

  @Test
  void whatComesTooLateForOneClientIsNoAnswerToAnother() throws Exception {
    RankThreads.run(
        2,
        group -> {
          if (group.rank() == 0) {
            try (ParameterServer server = new ParameterServer(sgd(1, 0), 1)) {
              server.set("weights", new float[] {1});
              // Twice: the second one is still there when the next call waits for its answer.
              answer(group, server, 2);
              server.set("weights", new float[] {2});
              answer(group, server, 1);
            }
            return null;
          }
          assertArrayEquals(new float[] {1}, new ParameterClient(group, 0).get("weights"));
          assertArrayEquals(new float[] {2}, new ParameterClient(group, 0).get("weights"));
          return null;
        });
  }

  private static void answer(Communicator group, ParameterServer server, int times) {
    Channel calls = group.channel(1, ParameterService.CALL);
    Incoming call = calls.await(Duration.ofSeconds(30)).orElseThrow();
    byte[] answer = StoreCall.answer(ParameterService.receive(calls, call), server);
    for (int i = 0; i < times; i++) {
      ParameterService.send(group.channel(1, ParameterService.RESULT), answer);
    }
  }

  private static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes);
  }
}
