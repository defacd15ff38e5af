package dev.lockstep.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Channel;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.RendezvousPort;
import dev.lockstep.comm.Span;
import dev.lockstep.comm.TcpOptions;
import dev.lockstep.comm.Transfer;
import dev.lockstep.comm.Work;
import dev.lockstep.data.DataFiles;
import dev.lockstep.federated.privacy.CanaryAudit;
import dev.lockstep.federated.privacy.ClientSampling;
import dev.lockstep.federated.privacy.DifferentialPrivacy;
import dev.lockstep.federated.privacy.NoiseKey;
import dev.lockstep.federated.privacy.PrivacyLedger;
import dev.lockstep.federated.privacy.RenyiAccountant;
import dev.lockstep.federated.privacy.SecureAggregationClient;
import dev.lockstep.federated.privacy.SecureAggregationServer;
import dev.lockstep.learn.Boosting;
import dev.lockstep.learn.KMeans;
import dev.lockstep.learn.LearnedModel;
import dev.lockstep.learn.Table;
import dev.lockstep.localize.Localizer;
import dev.lockstep.localize.files.NetworkFile;
import dev.lockstep.localize.network.Network;
import dev.lockstep.model.Model;
import dev.lockstep.model.PhysicalModel;
import dev.lockstep.model.Predictor;
import dev.lockstep.monitor.Recording;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.TrainingJob;
import dev.lockstep.train.server.ParameterClient;
import dev.lockstep.train.server.ParameterServer;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What a service calls first refuses null for whatever is not {@link Nullable}, with a {@link
 * NullPointerException} or an {@link IllegalArgumentException} that names the parameter: null never
 * reaches native code.
 */
@Timeout(120)
class NullArgumentsTest {
  private static final List<Class<?>> TYPES =
      List.of(
          Communicator.class,
          Span.class,
          TcpOptions.class,
          Transfer.class,
          TrainingJob.class,
          Model.class,
          PhysicalModel.class,
          Predictor.class,
          Localizer.class,
          Network.class,
          NetworkFile.class,
          KMeans.class,
          Boosting.class,
          Table.class,
          LearnedModel.class,
          DataFiles.class,
          ClientSampling.class,
          RenyiAccountant.class,
          PrivacyLedger.class,
          DifferentialPrivacy.class,
          NoiseKey.class,
          CanaryAudit.class,
          SecureAggregationClient.class,
          SecureAggregationServer.class,
          ParameterServer.class,
          ParameterClient.class,
          RunFolder.class,
          Recording.class);

  private final List<String> faults = new ArrayList<>();
  private int tried;

  @Test
  void staticMethodsAndConstructorsNameThem() {
    for (Class<?> type : TYPES) {
      for (Method method : type.getDeclaredMethods()) {
        if (Modifier.isPublic(method.getModifiers()) && Modifier.isStatic(method.getModifiers())) {
          tryNulls(method, null);
        }
      }
      for (Constructor<?> constructor : type.getDeclaredConstructors()) {
        if (Modifier.isPublic(constructor.getModifiers())) {
          tryNulls(constructor, null);
        }
      }
    }
    assertTrue(tried > 40, "only " + tried);
    assertEquals(List.of(), faults);
  }

  @Test
  void methodsOfAGroupNameThem() throws Exception {
    try (NativeMemory memory = NativeMemory.allocate(8);
        RendezvousPort port = Communicator.listen("127.0.0.1", 0)) {
      tryMethods(NativeMemory.class, memory);
      tryMethods(RendezvousPort.class, port);
    }
    RankThreads.run(
        2,
        ranks -> {
          if (ranks.rank() == 0) {
            tryMethods(Communicator.class, ranks);
            tryMethods(Channel.class, ranks.channel(1, 0));
            tryMethods(Work.class, ranks.receiveAsync(bytes(), 1, 1));
          }
          ranks.barrier();
          return null;
        });
    assertTrue(tried > 60, "only " + tried);
    assertEquals(List.of(), faults);
  }

  private void tryMethods(Class<?> type, Object instance) {
    for (Method method : type.getDeclaredMethods()) {
      if (Modifier.isPublic(method.getModifiers()) && !Modifier.isStatic(method.getModifiers())) {
        tryNulls(method, instance);
      }
    }
  }

  private void tryNulls(Executable called, @Nullable Object instance) {
    Class<?>[] types = called.getParameterTypes();
    for (int i = 0; i < types.length; i++) {
      boolean mayBeNull =
          called.getAnnotatedParameterTypes()[i].isAnnotationPresent(Nullable.class);
      if (types[i].isPrimitive() || mayBeNull || called.isSynthetic()) {
        continue;
      }
      @Nullable Object[] arguments = new @Nullable Object[types.length];
      for (int j = 0; j < types.length; j++) {
        arguments[j] = j == i ? null : sample(types[j]);
      }
      tried++;
      String fault = faultOf(called, instance, arguments);
      if (fault != null) {
        faults.add(
            called.getDeclaringClass().getSimpleName()
                + "."
                + called.getName()
                + Arrays.toString(types)
                + " with null for "
                + called.getParameters()[i].getName()
                + ": "
                + fault);
      }
    }
  }

  private static @Nullable String faultOf(
      Executable called, @Nullable Object instance, @Nullable Object[] arguments) {
    try {
      if (called instanceof Constructor<?> constructor) {
        constructor.newInstance(arguments);
      } else {
        called.setAccessible(true);
        ((Method) called).invoke(instance, arguments);
      }
      return "is taken";
    } catch (InvocationTargetException e) {
      Throwable thrown = e.getCause();
      boolean typed =
          thrown instanceof NullPointerException || thrown instanceof IllegalArgumentException;
      String said = String.valueOf(thrown.getMessage());
      boolean isNamed = false; // one of those that are null: there is no sample of every type
      for (int i = 0; i < arguments.length; i++) {
        isNamed |= arguments[i] == null && said.contains(called.getParameters()[i].getName());
      }
      return typed && isNamed ? null : thrown.toString();
    } catch (ReflectiveOperationException e) {
      return e.toString();
    }
  }

  private static Span bytes() {
    return Span.of(ByteBuffer.allocateDirect(8));
  }

  /** Something of the type, valid as far as that can be; other parameters are not looked at. */
  private static @Nullable Object sample(Class<?> type) {
    if (type.isArray()) {
      return Array.newInstance(type.getComponentType(), 1);
    }
    if (type.isEnum()) {
      return type.getEnumConstants()[0];
    }
    Map<Class<?>, Object> samples =
        Map.ofEntries(
            Map.entry(int.class, 0),
            Map.entry(long.class, 1L),
            Map.entry(double.class, 1.0),
            Map.entry(boolean.class, false),
            Map.entry(String.class, "localhost"),
            Map.entry(Path.class, Path.of("nothing-there")),
            Map.entry(Duration.class, Duration.ZERO),
            Map.entry(Span.class, bytes()),
            Map.entry(ByteBuffer.class, ByteBuffer.allocateDirect(8)),
            Map.entry(List.class, List.of()),
            Map.entry(Map.class, Map.of()),
            Map.entry(Optional.class, Optional.empty()),
            Map.entry(TcpOptions.class, new TcpOptions(0, 1, "localhost", 1, "secret", 1)),
            Map.entry(CommunicatorConfig.class, CommunicatorConfig.defaults()));
    return samples.get(type);
  }
}
