# The lines for Znuny's Kernel/Config.pm, inside of sub Load, by which the door hands customers over. Nothing else in the ticket
# system changes. In the proxy's files the portal's path is /znuny/customer.pl, before Znuny 7 /otrs/customer.pl.

    # Passwords, as before: first, so that they work also while the door is away.
    $Self->{'Customer::AuthModule'}  = 'Kernel::System::CustomerAuth::DB';

    # Then the customer whom the header Remote-User names. Znuny believes it from everybody, without any secret. So only the
    # proxy may reach this web server, and it takes that header from everybody else: see examples/nginx, examples/caddy,
    # examples/apache. If customers are in more places than one (Customer::AuthModule1 is taken already), take the next free
    # number.
    $Self->{'Customer::AuthModule1'} = 'Kernel::System::CustomerAuth::HTTPBasicAuth';

    # Logging out here ends on the door's page, and ends its session where the proxy has not done so already. The
    # same value under Admin, System Configuration, is what `otab check` sees.
    $Self->{CustomerPanelLogoutURL} = '/otab/logout';

    # Agents are another matter. Leave AuthModule as it is, and above all not at HTTPBasicAuth.
