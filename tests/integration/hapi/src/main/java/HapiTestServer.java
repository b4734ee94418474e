import ca.uhn.fhir.batch2.api.IJobMaintenanceService;
import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.batch2.jobs.export.BulkDataExportProvider;
import ca.uhn.fhir.batch2.maintenance.JobMaintenanceServiceImpl;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings.ClientIdStrategyEnum;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings.IdStrategyEnum;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.binary.api.IBinaryStorageSvc;
import ca.uhn.fhir.jpa.binstore.DatabaseBinaryContentStorageSvcImpl;
import ca.uhn.fhir.jpa.config.HapiJpaConfig;
import ca.uhn.fhir.jpa.config.JpaConfig;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirH2Dialect;
import ca.uhn.fhir.jpa.provider.IJpaSystemProvider;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.jpa.subscription.match.config.SubscriptionProcessorConfig;
import ca.uhn.fhir.jpa.subscription.match.deliver.email.IEmailSender;
import ca.uhn.fhir.jpa.subscription.submit.config.SubscriptionSubmitterConfig;
import ca.uhn.fhir.jpa.util.LoggingEmailSender;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import jakarta.persistence.EntityManagerFactory;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Iterator;
import java.util.List;
import java.util.Properties;
import javax.sql.DataSource;
import org.apache.commons.dbcp2.BasicDataSource;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.hl7.fhir.dstu2.model.Subscription.SubscriptionChannelType;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;

/**
 * A HAPI FHIR R4 JPA server on 127.0.0.1 for the integration tests: the library behind the
 * hapiproject/hapi image, set up like that image (page size, reference checks, search cache), in
 * memory, with bulk export and rest-hook subscriptions switched on.
 *
 * <pre>java -jar hapi-test-server.jar [--port N] [--lenient] [--until-stdin-closes]</pre>
 *
 * Port 0 (the default) takes a free one. The FHIR base URL is printed, alone on a line of standard
 * output, once requests are answered; everything else goes to standard error. {@code --lenient}
 * stores what the stock image refuses: numeric client-chosen ids, references to resources that are
 * not there (an empty placeholder is created) and references to other servers. {@code
 * --until-stdin-closes} ends the server with the process that holds the other end of its standard
 * input, however that process ends.
 */
public final class HapiTestServer {

    /** Where {@code --lenient} is handed to the Spring configuration. */
    private static final String LENIENT = "hapi.test.lenient";

    private HapiTestServer() {}

    public static void main(String[] args) throws Exception {
        int port = 0;
        for (Iterator<String> options = List.of(args).iterator(); options.hasNext(); ) {
            switch (options.next()) {
                case "--port" -> port = Integer.parseInt(options.next());
                case "--lenient" -> System.setProperty(LENIENT, "true");
                case "--until-stdin-closes" -> exitWhenInputEnds();
                default -> throw new IllegalArgumentException(
                        "options: [--port N] [--lenient] [--until-stdin-closes]");
            }
        }
        // Every 4xx is a line at WARN; -Dorg.slf4j.simpleLogger.defaultLogLevel=warn shows them.
        System.getProperties().putIfAbsent("org.slf4j.simpleLogger.defaultLogLevel", "error");

        RestfulServer fhir = new AnnotationConfigApplicationContext(Beans.class).getBean(RestfulServer.class);
        Server jetty = new Server();
        ServerConnector connector = new ServerConnector(jetty);
        connector.setHost("127.0.0.1");
        connector.setPort(port);
        jetty.addConnector(connector);
        ServletContextHandler context = new ServletContextHandler();
        context.addServlet(new ServletHolder(fhir), "/fhir/*");
        jetty.setHandler(context);
        jetty.start();
        System.out.println("http://127.0.0.1:" + connector.getLocalPort() + "/fhir");
    }

    /** A test run that is killed cannot stop its server, but its pipe closes. */
    private static void exitWhenInputEnds() {
        Thread watch = new Thread(() -> {
            try {
                System.in.transferTo(OutputStream.nullOutputStream());
            } catch (IOException closed) {
                // the same as its end
            }
            System.exit(0);
        });
        watch.setDaemon(true);
        watch.start();
    }

    /** The beans that HAPI's own configuration classes expect the application to supply. */
    @Configuration
    @Import({
        JpaR4Config.class,
        HapiJpaConfig.class,
        ThreadPoolFactoryConfig.class,
        JpaBatch2Config.class,
        Batch2JobsConfig.class,
        SubscriptionSubmitterConfig.class,
        SubscriptionProcessorConfig.class,
        SubscriptionChannelConfig.class
    })
    static class Beans {

        @Bean
        JpaStorageSettings storageSettings() {
            JpaStorageSettings settings = new JpaStorageSettings();
            if (Boolean.getBoolean(LENIENT)) {
                settings.setResourceClientIdStrategy(ClientIdStrategyEnum.ANY);
                // Numbers given out by the server would collide with numbers chosen by clients.
                settings.setResourceServerIdStrategy(IdStrategyEnum.UUID);
                // Not setEnforceReferentialIntegrityOnWrite(false): that leaves a reference to an
                // absent patient out of the index, and a search by patient never finds it.
                settings.setAutoCreatePlaceholderReferenceTargets(true);
                settings.setAllowExternalReferences(true);
            }
            return settings;
        }

        @Bean
        PartitionSettings partitionSettings() {
            return new PartitionSettings();
        }

        @Bean
        SubscriptionSettings subscriptionSettings() {
            SubscriptionSettings settings = new SubscriptionSettings();
            settings.addSupportedSubscriptionType(SubscriptionChannelType.RESTHOOK);
            settings.setSubscriptionIntervalInMs(500); // 5 s as shipped: too long for a test
            return settings;
        }

        /** Export jobs move on one step per maintenance pass, once a minute as shipped. */
        @Bean
        SmartInitializingSingleton promptExportJobs(IJobMaintenanceService maintenance) {
            return () -> ((JobMaintenanceServiceImpl) maintenance).setScheduledJobFrequencyMillis(500);
        }

        @Bean
        IBinaryStorageSvc binaryStorage() {
            return new DatabaseBinaryContentStorageSvcImpl();
        }

        @Bean
        IEmailSender emailSender() {
            return new LoggingEmailSender();
        }

        @Bean
        DataSource dataSource() {
            BasicDataSource pool = new BasicDataSource();
            pool.setUrl("jdbc:h2:mem:fhir;DB_CLOSE_DELAY=-1");
            pool.setMaxTotal(50); // a batch runs its entries side by side, each on its own connection
            return pool;
        }

        @Bean
        LocalContainerEntityManagerFactoryBean entityManagerFactory(
                ConfigurableListableBeanFactory beans, FhirContext fhir, JpaStorageSettings storage, DataSource data) {
            Properties hibernate = new Properties();
            hibernate.put("hibernate.dialect", HapiFhirH2Dialect.class.getName());
            hibernate.put("hibernate.hbm2ddl.auto", "create");
            hibernate.put("hibernate.jdbc.batch_size", "20");
            hibernate.put("hibernate.search.enabled", "false"); // no Lucene or Elasticsearch, as in the image
            LocalContainerEntityManagerFactoryBean factory =
                    HapiEntityManagerFactoryUtil.newEntityManagerFactory(beans, fhir, storage);
            factory.setPersistenceUnitName("fhir");
            factory.setDataSource(data);
            factory.setJpaProperties(hibernate);
            return factory;
        }

        @Bean
        JpaTransactionManager transactionManager(EntityManagerFactory factory) {
            return new JpaTransactionManager(factory);
        }

        @Bean
        RestfulServer restfulServer(
                FhirContext fhir,
                ResourceProviderFactory resources,
                IJpaSystemProvider system,
                BulkDataExportProvider export,
                DatabaseBackedPagingProvider paging,
                IFhirSystemDao<?, ?> systemDao,
                JpaStorageSettings storage,
                ISearchParamRegistry searchParameters,
                @Qualifier(JpaConfig.JPA_VALIDATION_SUPPORT_CHAIN) IValidationSupport validation) {
            // 20 is the image's page; it sets no upper limit, but many sites do, and a client that
            // asks for more must notice that it got less.
            paging.setDefaultPageSize(20).setMaximumPageSize(200);
            RestfulServer server = new RestfulServer(fhir);
            server.registerProviders(resources.createProviders());
            server.registerProviders(system, export);
            server.setPagingProvider(paging);
            server.setServerConformanceProvider(
                    new JpaCapabilityStatementProvider(server, systemDao, storage, searchParameters, validation));
            return server;
        }
    }
}
