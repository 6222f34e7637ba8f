# The lines for OTOBO's Kernel/Config.pm, inside of sub Load, by which the door hands customers over. Nothing else in the ticket
# system changes. Znuny has a file of its own: examples/znuny/Config.pm.

    # Passwords, as before: first, so that they work also while the door is away.
    $Self->{'Customer::AuthModule'}  = 'Kernel::System::CustomerAuth::DB';

    # Then the customer whom the header Remote-User names. Only the proxy may reach this web server, and it takes that header
    # from everybody else: see examples/nginx, examples/caddy, examples/apache. If customers are in more places than one
    # (Customer::AuthModule1 is taken already), take the next free number, also in TrustProxyHeader1.
    $Self->{'Customer::AuthModule1'} = 'Kernel::System::CustomerAuth::HTTPBasicAuth';

    # OTOBO as repaired in September 2026 believes that header only from a proxy that sends a secret as well: the one in the
    # proxy's own file, otab-secret. Without one, nobody gets in by a link. So make one, by openssl rand -hex 32, write it
    # between quotes, and take the # away from both lines. As the second one is here, it is not Perl: nobody runs with a
    # secret that everybody can read. Older ones ignore both. Where OTOBO_PROXY_SECRET is set in the environment (Docker),
    # leave the second line as it is. Both are needless where OTOBO runs in Apache by mod_perl.
    # $Self->{'Customer::AuthModule::HTTPBasicAuth::TrustProxyHeader1'} = 1;
    # $Self->{'WebServer::ProxySecret'} = 64 digits of openssl rand -hex 32, between quotes;

    # Logging out here ends on the door's page, and ends its session where the proxy has not done so already. The
    # same value under Admin, System Configuration, is what `otab check` sees.
    $Self->{CustomerPanelLogoutURL} = '/otab/logout';

    # Agents are another matter. Leave AuthModule as it is, and above all not at HTTPBasicAuth.
