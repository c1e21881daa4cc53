-- The tables behind the API, under the server's names where its answers show them.
-- Times are microseconds since 1970 in UTC (the server: timestamp(6)); money is exact decimal text (the server:
-- decimal(20,6)), because SQLite has no number that is both wide and exact enough.
CREATE TABLE companies (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, company_key TEXT NOT NULL, currency_id TEXT NOT NULL, country_id INTEGER NOT NULL,
    custom_fields TEXT NOT NULL, client_number_counter INTEGER NOT NULL DEFAULT 1, created_at INTEGER, updated_at INTEGER
);
CREATE TABLE users (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, password TEXT NOT NULL, is_deleted INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE tokens (
    token TEXT PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id),
    company_id INTEGER NOT NULL REFERENCES companies (id), is_admin INTEGER NOT NULL, permissions TEXT NOT NULL DEFAULT '',
    is_locked INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE sizes (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE industries (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE group_settings (
    id INTEGER PRIMARY KEY AUTOINCREMENT, company_id INTEGER NOT NULL, user_id INTEGER, name TEXT COLLATE unicode_ci,
    settings TEXT NOT NULL, is_deleted INTEGER NOT NULL DEFAULT 0, created_at INTEGER, updated_at INTEGER, deleted_at INTEGER
);
CREATE TABLE clients (
    id INTEGER PRIMARY KEY AUTOINCREMENT, company_id INTEGER NOT NULL, user_id INTEGER NOT NULL, assigned_user_id INTEGER,
    name TEXT, website TEXT, private_notes TEXT, balance TEXT NOT NULL DEFAULT '0', group_settings_id INTEGER,
    paid_to_date TEXT NOT NULL DEFAULT '0', payment_balance TEXT NOT NULL DEFAULT '0', credit_balance TEXT NOT NULL DEFAULT '0',
    last_login INTEGER, size_id INTEGER REFERENCES sizes (id), public_notes TEXT, client_hash TEXT,
    address1 TEXT, address2 TEXT, phone TEXT, city TEXT, state TEXT, postal_code TEXT, country_id INTEGER,
    industry_id INTEGER REFERENCES industries (id), custom_value1 TEXT, custom_value2 TEXT, custom_value3 TEXT, custom_value4 TEXT,
    shipping_address1 TEXT, shipping_address2 TEXT, shipping_city TEXT, shipping_state TEXT, shipping_postal_code TEXT,
    shipping_country_id INTEGER, settings TEXT, is_deleted INTEGER NOT NULL DEFAULT 0, vat_number TEXT,
    id_number TEXT COLLATE unicode_ci, number TEXT COLLATE unicode_ci, has_valid_vat_number INTEGER NOT NULL DEFAULT 0,
    is_tax_exempt INTEGER NOT NULL DEFAULT 0, routing_id TEXT, classification TEXT, e_invoice TEXT, tax_info TEXT,
    created_at INTEGER, updated_at INTEGER, deleted_at INTEGER
);
CREATE INDEX clients_company ON clients (company_id);
CREATE INDEX clients_updated ON clients (company_id, updated_at);
CREATE INDEX clients_number ON clients (company_id, number);
CREATE INDEX clients_id_number ON clients (company_id, id_number) WHERE id_number IS NOT NULL;
CREATE TABLE contacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, company_id INTEGER NOT NULL, user_id INTEGER NOT NULL,
    client_id INTEGER NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    first_name TEXT, last_name TEXT, email TEXT COLLATE unicode_ci, phone TEXT,
    custom_value1 TEXT, custom_value2 TEXT, custom_value3 TEXT, custom_value4 TEXT,
    is_primary INTEGER NOT NULL DEFAULT 0, is_locked INTEGER NOT NULL DEFAULT 0, send_email INTEGER NOT NULL DEFAULT 1,
    contact_key TEXT NOT NULL, password TEXT NOT NULL DEFAULT '', last_login INTEGER,
    created_at INTEGER, updated_at INTEGER, deleted_at INTEGER
);
CREATE INDEX contacts_client ON contacts (client_id);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT, company_id INTEGER NOT NULL, user_id INTEGER NOT NULL,
    client_id INTEGER NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    name TEXT NOT NULL, type TEXT NOT NULL, hash TEXT NOT NULL, size INTEGER NOT NULL, width INTEGER NOT NULL DEFAULT 0,
    height INTEGER NOT NULL DEFAULT 0, is_public INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER, updated_at INTEGER, deleted_at INTEGER
);
CREATE INDEX documents_client ON documents (client_id);
-- Separate from the documents, because lists read those whole.
CREATE TABLE document_contents (
    document_id INTEGER PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE, content BLOB NOT NULL
);
CREATE TABLE gateway_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT, company_id INTEGER NOT NULL,
    client_id INTEGER NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    token TEXT NOT NULL, gateway_customer_reference TEXT NOT NULL, gateway_type_id INTEGER NOT NULL, meta TEXT NOT NULL,
    created_at INTEGER, updated_at INTEGER, deleted_at INTEGER
);
CREATE INDEX gateway_tokens_client ON gateway_tokens (client_id);
-- A merge leaves the older activities of the client that went with its dead id, so there is no foreign key.
CREATE TABLE activities (
    id INTEGER PRIMARY KEY AUTOINCREMENT, company_id INTEGER NOT NULL, user_id INTEGER, token_id INTEGER, client_id INTEGER,
    activity_type_id INTEGER NOT NULL, notes TEXT NOT NULL DEFAULT '', created_at INTEGER, updated_at INTEGER
);
CREATE INDEX activities_client ON activities (client_id);
CREATE INDEX activities_company ON activities (company_id, created_at);
-- The papers of clients: invoices, credits, payments, and which payment is on which of them. `date` and `due_date` are
-- days (the server: DATE, which holds 0000-00-00 for a text that is no day), `line_items` is JSON.
CREATE TABLE invoices (
    id INTEGER PRIMARY KEY AUTOINCREMENT, company_id INTEGER NOT NULL, user_id INTEGER NOT NULL DEFAULT 1, assigned_user_id INTEGER,
    client_id INTEGER NOT NULL REFERENCES clients (id) ON DELETE CASCADE, project_id INTEGER, vendor_id INTEGER,
    status_id INTEGER NOT NULL DEFAULT 1, design_id INTEGER, recurring_id INTEGER, subscription_id INTEGER, location_id INTEGER,
    number TEXT COLLATE unicode_ci, po_number TEXT, date TEXT, due_date TEXT, last_sent_date TEXT, next_send_date TEXT,
    amount TEXT NOT NULL DEFAULT '0', balance TEXT NOT NULL DEFAULT '0', paid_to_date TEXT NOT NULL DEFAULT '0',
    partial TEXT, partial_due_date TEXT, discount TEXT NOT NULL DEFAULT '0', is_amount_discount INTEGER NOT NULL DEFAULT 1,
    uses_inclusive_taxes INTEGER NOT NULL DEFAULT 0, tax_name1 TEXT, tax_rate1 TEXT NOT NULL DEFAULT '0', tax_name2 TEXT,
    tax_rate2 TEXT NOT NULL DEFAULT '0', tax_name3 TEXT, tax_rate3 TEXT NOT NULL DEFAULT '0', total_taxes TEXT NOT NULL DEFAULT '0',
    terms TEXT, footer TEXT, public_notes TEXT, private_notes TEXT,
    custom_value1 TEXT, custom_value2 TEXT, custom_value3 TEXT, custom_value4 TEXT,
    custom_surcharge1 TEXT, custom_surcharge2 TEXT, custom_surcharge3 TEXT, custom_surcharge4 TEXT,
    custom_surcharge_tax1 INTEGER NOT NULL DEFAULT 0, custom_surcharge_tax2 INTEGER NOT NULL DEFAULT 0,
    custom_surcharge_tax3 INTEGER NOT NULL DEFAULT 0, custom_surcharge_tax4 INTEGER NOT NULL DEFAULT 0,
    exchange_rate TEXT NOT NULL DEFAULT '1', line_items TEXT NOT NULL DEFAULT '[]',
    reminder1_sent TEXT, reminder2_sent TEXT, reminder3_sent TEXT, reminder_last_sent TEXT,
    auto_bill_enabled INTEGER NOT NULL DEFAULT 0, tax_info TEXT, e_invoice TEXT, backup TEXT,
    is_deleted INTEGER NOT NULL DEFAULT 0, created_at INTEGER, updated_at INTEGER, deleted_at INTEGER
);
CREATE INDEX invoices_client ON invoices (client_id);
CREATE INDEX invoices_updated ON invoices (company_id, updated_at);
CREATE INDEX invoices_number ON invoices (company_id, number);
CREATE TABLE credits (
    id INTEGER PRIMARY KEY AUTOINCREMENT, company_id INTEGER NOT NULL, user_id INTEGER NOT NULL DEFAULT 1, assigned_user_id INTEGER,
    client_id INTEGER NOT NULL REFERENCES clients (id) ON DELETE CASCADE, project_id INTEGER, vendor_id INTEGER,
    status_id INTEGER NOT NULL DEFAULT 1, design_id INTEGER, invoice_id INTEGER, subscription_id INTEGER, location_id INTEGER,
    number TEXT COLLATE unicode_ci, po_number TEXT, date TEXT, due_date TEXT, last_sent_date TEXT, next_send_date TEXT,
    amount TEXT NOT NULL DEFAULT '0', balance TEXT NOT NULL DEFAULT '0', paid_to_date TEXT NOT NULL DEFAULT '0',
    partial TEXT, partial_due_date TEXT, discount TEXT NOT NULL DEFAULT '0', is_amount_discount INTEGER NOT NULL DEFAULT 1,
    uses_inclusive_taxes INTEGER NOT NULL DEFAULT 0, tax_name1 TEXT, tax_rate1 TEXT NOT NULL DEFAULT '0', tax_name2 TEXT,
    tax_rate2 TEXT NOT NULL DEFAULT '0', tax_name3 TEXT, tax_rate3 TEXT NOT NULL DEFAULT '0', total_taxes TEXT NOT NULL DEFAULT '0',
    terms TEXT, footer TEXT, public_notes TEXT, private_notes TEXT,
    custom_value1 TEXT, custom_value2 TEXT, custom_value3 TEXT, custom_value4 TEXT,
    custom_surcharge1 TEXT, custom_surcharge2 TEXT, custom_surcharge3 TEXT, custom_surcharge4 TEXT,
    custom_surcharge_tax1 INTEGER NOT NULL DEFAULT 0, custom_surcharge_tax2 INTEGER NOT NULL DEFAULT 0,
    custom_surcharge_tax3 INTEGER NOT NULL DEFAULT 0, custom_surcharge_tax4 INTEGER NOT NULL DEFAULT 0,
    exchange_rate TEXT NOT NULL DEFAULT '1', line_items TEXT NOT NULL DEFAULT '[]',
    reminder1_sent TEXT, reminder2_sent TEXT, reminder3_sent TEXT, reminder_last_sent TEXT,
    auto_bill_enabled INTEGER NOT NULL DEFAULT 0, tax_info TEXT, e_invoice TEXT, backup TEXT,
    is_deleted INTEGER NOT NULL DEFAULT 0, created_at INTEGER, updated_at INTEGER, deleted_at INTEGER
);
CREATE INDEX credits_client ON credits (client_id);
CREATE INDEX credits_updated ON credits (company_id, updated_at);
CREATE INDEX credits_number ON credits (company_id, number);
CREATE TABLE payments (
    id INTEGER PRIMARY KEY AUTOINCREMENT, company_id INTEGER NOT NULL, user_id INTEGER NOT NULL DEFAULT 1, assigned_user_id INTEGER,
    client_id INTEGER NOT NULL REFERENCES clients (id) ON DELETE CASCADE, client_contact_id INTEGER, project_id INTEGER, vendor_id INTEGER,
    invitation_id INTEGER, company_gateway_id INTEGER, gateway_type_id INTEGER, type_id INTEGER, status_id INTEGER NOT NULL DEFAULT 4,
    amount TEXT NOT NULL DEFAULT '0', refunded TEXT NOT NULL DEFAULT '0', applied TEXT NOT NULL DEFAULT '0', date TEXT,
    transaction_reference TEXT, transaction_id INTEGER, is_manual INTEGER NOT NULL DEFAULT 1, private_notes TEXT,
    number TEXT COLLATE unicode_ci, custom_value1 TEXT, custom_value2 TEXT, custom_value3 TEXT, custom_value4 TEXT,
    currency_id INTEGER, exchange_rate TEXT NOT NULL DEFAULT '1', exchange_currency_id INTEGER,
    is_deleted INTEGER NOT NULL DEFAULT 0, created_at INTEGER, updated_at INTEGER, deleted_at INTEGER
);
CREATE INDEX payments_client ON payments (client_id);
CREATE INDEX payments_updated ON payments (company_id, updated_at);
CREATE INDEX payments_number ON payments (company_id, number);
-- `kind` is `invoice` or `credit`, `paper_id` the row there.
CREATE TABLE paymentables (
    id INTEGER PRIMARY KEY AUTOINCREMENT, payment_id INTEGER NOT NULL REFERENCES payments (id) ON DELETE CASCADE,
    kind TEXT NOT NULL, paper_id INTEGER NOT NULL, amount TEXT NOT NULL, refunded TEXT NOT NULL DEFAULT '0',
    created_at INTEGER, updated_at INTEGER, deleted_at INTEGER
);
CREATE INDEX paymentables_payment ON paymentables (payment_id);
CREATE INDEX paymentables_paper ON paymentables (paper_id, kind);
-- Who may open a paper, by the kind of the paper: `invoice`, `credit`, `quote` and so on. The server has a table for each.
CREATE TABLE invitations (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, paper_id INTEGER NOT NULL,
    client_contact_id INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE, key TEXT NOT NULL,
    sent_date TEXT, viewed_date TEXT, opened_date TEXT, created_at INTEGER, updated_at INTEGER, deleted_at INTEGER
);
CREATE INDEX invitations_paper ON invitations (paper_id, kind);
-- Quotes and recurring invoices are papers that move no figure. `next_send_date` of a recurring invoice is a moment.
CREATE TABLE quotes (
    id INTEGER PRIMARY KEY AUTOINCREMENT, company_id INTEGER NOT NULL, user_id INTEGER NOT NULL DEFAULT 1, assigned_user_id INTEGER,
    client_id INTEGER NOT NULL REFERENCES clients (id) ON DELETE CASCADE, project_id INTEGER, vendor_id INTEGER,
    status_id INTEGER NOT NULL DEFAULT 1, design_id INTEGER, invoice_id INTEGER, subscription_id INTEGER, location_id INTEGER,
    number TEXT COLLATE unicode_ci, po_number TEXT, date TEXT, due_date TEXT, last_sent_date TEXT, next_send_date TEXT,
    amount TEXT NOT NULL DEFAULT '0', balance TEXT NOT NULL DEFAULT '0', paid_to_date TEXT NOT NULL DEFAULT '0',
    partial TEXT, partial_due_date TEXT, discount TEXT NOT NULL DEFAULT '0', is_amount_discount INTEGER NOT NULL DEFAULT 1,
    uses_inclusive_taxes INTEGER NOT NULL DEFAULT 0, tax_name1 TEXT, tax_rate1 TEXT NOT NULL DEFAULT '0', tax_name2 TEXT,
    tax_rate2 TEXT NOT NULL DEFAULT '0', tax_name3 TEXT, tax_rate3 TEXT NOT NULL DEFAULT '0', total_taxes TEXT NOT NULL DEFAULT '0',
    terms TEXT, footer TEXT, public_notes TEXT, private_notes TEXT,
    custom_value1 TEXT, custom_value2 TEXT, custom_value3 TEXT, custom_value4 TEXT,
    custom_surcharge1 TEXT, custom_surcharge2 TEXT, custom_surcharge3 TEXT, custom_surcharge4 TEXT,
    custom_surcharge_tax1 INTEGER NOT NULL DEFAULT 0, custom_surcharge_tax2 INTEGER NOT NULL DEFAULT 0,
    custom_surcharge_tax3 INTEGER NOT NULL DEFAULT 0, custom_surcharge_tax4 INTEGER NOT NULL DEFAULT 0,
    exchange_rate TEXT NOT NULL DEFAULT '1', line_items TEXT NOT NULL DEFAULT '[]',
    reminder1_sent TEXT, reminder2_sent TEXT, reminder3_sent TEXT, reminder_last_sent TEXT,
    auto_bill_enabled INTEGER NOT NULL DEFAULT 0, tax_info TEXT, e_invoice TEXT, backup TEXT,
    is_deleted INTEGER NOT NULL DEFAULT 0, created_at INTEGER, updated_at INTEGER, deleted_at INTEGER
);
CREATE INDEX quotes_client ON quotes (client_id);
CREATE INDEX quotes_updated ON quotes (company_id, updated_at);
CREATE INDEX quotes_number ON quotes (company_id, number);
CREATE TABLE recurring_invoices (
    id INTEGER PRIMARY KEY AUTOINCREMENT, company_id INTEGER NOT NULL, user_id INTEGER NOT NULL DEFAULT 1, assigned_user_id INTEGER,
    client_id INTEGER NOT NULL REFERENCES clients (id) ON DELETE CASCADE, project_id INTEGER, vendor_id INTEGER,
    status_id INTEGER NOT NULL DEFAULT 1, design_id INTEGER, subscription_id INTEGER, location_id INTEGER,
    number TEXT COLLATE unicode_ci, po_number TEXT, date TEXT, due_date TEXT, last_sent_date TEXT, next_send_date TEXT,
    amount TEXT NOT NULL DEFAULT '0', balance TEXT NOT NULL DEFAULT '0', paid_to_date TEXT NOT NULL DEFAULT '0',
    partial TEXT, partial_due_date TEXT, discount TEXT NOT NULL DEFAULT '0', is_amount_discount INTEGER NOT NULL DEFAULT 1,
    uses_inclusive_taxes INTEGER NOT NULL DEFAULT 0, tax_name1 TEXT, tax_rate1 TEXT NOT NULL DEFAULT '0', tax_name2 TEXT,
    tax_rate2 TEXT NOT NULL DEFAULT '0', tax_name3 TEXT, tax_rate3 TEXT NOT NULL DEFAULT '0', total_taxes TEXT NOT NULL DEFAULT '0',
    terms TEXT, footer TEXT, public_notes TEXT, private_notes TEXT,
    custom_value1 TEXT, custom_value2 TEXT, custom_value3 TEXT, custom_value4 TEXT,
    custom_surcharge1 TEXT, custom_surcharge2 TEXT, custom_surcharge3 TEXT, custom_surcharge4 TEXT,
    custom_surcharge_tax1 INTEGER NOT NULL DEFAULT 0, custom_surcharge_tax2 INTEGER NOT NULL DEFAULT 0,
    custom_surcharge_tax3 INTEGER NOT NULL DEFAULT 0, custom_surcharge_tax4 INTEGER NOT NULL DEFAULT 0,
    exchange_rate TEXT NOT NULL DEFAULT '1', line_items TEXT NOT NULL DEFAULT '[]',
    reminder1_sent TEXT, reminder2_sent TEXT, reminder3_sent TEXT, reminder_last_sent TEXT,
    frequency_id INTEGER, remaining_cycles INTEGER NOT NULL DEFAULT -1, auto_bill TEXT, due_date_days TEXT,
    auto_bill_enabled INTEGER NOT NULL DEFAULT 0, tax_info TEXT, e_invoice TEXT, backup TEXT,
    is_deleted INTEGER NOT NULL DEFAULT 0, created_at INTEGER, updated_at INTEGER, deleted_at INTEGER
);
CREATE INDEX recurring_invoices_client ON recurring_invoices (client_id);
CREATE INDEX recurring_invoices_updated ON recurring_invoices (company_id, updated_at);
CREATE INDEX recurring_invoices_number ON recurring_invoices (company_id, number);
-- Records without lines. Money and hours are decimal text, days are days, `time_log` is JSON.
CREATE TABLE products (
    id INTEGER PRIMARY KEY AUTOINCREMENT, company_id INTEGER NOT NULL, user_id INTEGER NOT NULL DEFAULT 1, assigned_user_id INTEGER,
    product_key TEXT COLLATE unicode_ci, notes TEXT, product_image TEXT, tax_id TEXT, cost TEXT NOT NULL DEFAULT '0',
    price TEXT NOT NULL DEFAULT '0', quantity TEXT NOT NULL DEFAULT '1', in_stock_quantity TEXT NOT NULL DEFAULT '0',
    stock_notification INTEGER NOT NULL DEFAULT 1, stock_notification_threshold TEXT NOT NULL DEFAULT '0',
    max_quantity TEXT NOT NULL DEFAULT '0', tax_name1 TEXT, tax_rate1 TEXT NOT NULL DEFAULT '0', tax_name2 TEXT,
    tax_rate2 TEXT NOT NULL DEFAULT '0', tax_name3 TEXT, tax_rate3 TEXT NOT NULL DEFAULT '0',
    custom_value1 TEXT, custom_value2 TEXT, custom_value3 TEXT, custom_value4 TEXT,
    is_deleted INTEGER NOT NULL DEFAULT 0, created_at INTEGER, updated_at INTEGER, deleted_at INTEGER
);
CREATE INDEX products_updated ON products (company_id, updated_at);
CREATE TABLE vendors (
    id INTEGER PRIMARY KEY AUTOINCREMENT, company_id INTEGER NOT NULL, user_id INTEGER NOT NULL DEFAULT 1, assigned_user_id INTEGER,
    name TEXT, number TEXT COLLATE unicode_ci, website TEXT, private_notes TEXT, public_notes TEXT, address1 TEXT, address2 TEXT,
    phone TEXT, city TEXT, state TEXT, postal_code TEXT, country_id INTEGER, currency_id INTEGER, language_id INTEGER,
    vat_number TEXT, id_number TEXT COLLATE unicode_ci, classification TEXT, routing_id TEXT,
    is_tax_exempt INTEGER NOT NULL DEFAULT 0, custom_value1 TEXT, custom_value2 TEXT, custom_value3 TEXT, custom_value4 TEXT,
    is_deleted INTEGER NOT NULL DEFAULT 0, created_at INTEGER, updated_at INTEGER, deleted_at INTEGER
);
CREATE INDEX vendors_updated ON vendors (company_id, updated_at);
CREATE TABLE vendor_contacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, vendor_id INTEGER NOT NULL REFERENCES vendors (id) ON DELETE CASCADE,
    first_name TEXT, last_name TEXT, email TEXT, phone TEXT, custom_value1 TEXT, custom_value2 TEXT, custom_value3 TEXT,
    custom_value4 TEXT, is_primary INTEGER NOT NULL DEFAULT 0, send_email INTEGER NOT NULL DEFAULT 0, contact_key TEXT NOT NULL,
    created_at INTEGER, updated_at INTEGER, deleted_at INTEGER
);
CREATE INDEX vendor_contacts_vendor ON vendor_contacts (vendor_id);
CREATE TABLE projects (
    id INTEGER PRIMARY KEY AUTOINCREMENT, company_id INTEGER NOT NULL, user_id INTEGER NOT NULL DEFAULT 1, assigned_user_id INTEGER,
    client_id INTEGER, name TEXT, number TEXT COLLATE unicode_ci, private_notes TEXT, public_notes TEXT, color TEXT,
    task_rate TEXT NOT NULL DEFAULT '0', budgeted_hours TEXT NOT NULL DEFAULT '0', due_date TEXT,
    custom_value1 TEXT, custom_value2 TEXT, custom_value3 TEXT, custom_value4 TEXT,
    is_deleted INTEGER NOT NULL DEFAULT 0, created_at INTEGER, updated_at INTEGER, deleted_at INTEGER
);
CREATE INDEX projects_client ON projects (client_id);
CREATE INDEX projects_updated ON projects (company_id, updated_at);
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, company_id INTEGER NOT NULL, user_id INTEGER NOT NULL DEFAULT 1, assigned_user_id INTEGER,
    client_id INTEGER REFERENCES clients (id) ON DELETE CASCADE, project_id INTEGER, invoice_id INTEGER, status_id INTEGER,
    number TEXT COLLATE unicode_ci, description TEXT, rate TEXT NOT NULL DEFAULT '0', time_log TEXT NOT NULL DEFAULT '[]',
    is_running INTEGER NOT NULL DEFAULT 0, custom_value1 TEXT, custom_value2 TEXT, custom_value3 TEXT, custom_value4 TEXT,
    is_deleted INTEGER NOT NULL DEFAULT 0, created_at INTEGER, updated_at INTEGER, deleted_at INTEGER
);
CREATE INDEX tasks_client ON tasks (client_id);
CREATE INDEX tasks_project ON tasks (project_id);
CREATE INDEX tasks_updated ON tasks (company_id, updated_at);
CREATE TABLE expenses (
    id INTEGER PRIMARY KEY AUTOINCREMENT, company_id INTEGER NOT NULL, user_id INTEGER NOT NULL DEFAULT 1, assigned_user_id INTEGER,
    client_id INTEGER, vendor_id INTEGER, invoice_id INTEGER, project_id INTEGER, category_id INTEGER, bank_id INTEGER,
    recurring_expense_id INTEGER, currency_id INTEGER, invoice_currency_id INTEGER, payment_type_id INTEGER,
    number TEXT COLLATE unicode_ci, amount TEXT NOT NULL DEFAULT '0', foreign_amount TEXT NOT NULL DEFAULT '0',
    exchange_rate TEXT NOT NULL DEFAULT '1', date TEXT, payment_date TEXT, private_notes TEXT, public_notes TEXT,
    transaction_reference TEXT, transaction_id TEXT, should_be_invoiced INTEGER NOT NULL DEFAULT 0,
    invoice_documents INTEGER NOT NULL DEFAULT 1, uses_inclusive_taxes INTEGER NOT NULL DEFAULT 0,
    calculate_tax_by_amount INTEGER NOT NULL DEFAULT 0, tax_name1 TEXT, tax_rate1 TEXT NOT NULL DEFAULT '0', tax_name2 TEXT,
    tax_rate2 TEXT NOT NULL DEFAULT '0', tax_name3 TEXT, tax_rate3 TEXT NOT NULL DEFAULT '0',
    tax_amount1 TEXT NOT NULL DEFAULT '0', tax_amount2 TEXT NOT NULL DEFAULT '0', tax_amount3 TEXT NOT NULL DEFAULT '0',
    custom_value1 TEXT, custom_value2 TEXT, custom_value3 TEXT, custom_value4 TEXT,
    is_deleted INTEGER NOT NULL DEFAULT 0, created_at INTEGER, updated_at INTEGER, deleted_at INTEGER
);
CREATE INDEX expenses_client ON expenses (client_id);
CREATE INDEX expenses_updated ON expenses (company_id, updated_at);
-- The next automatic number of each kind of paper; clients have theirs in their company.
CREATE TABLE counters (
    company_id INTEGER NOT NULL, kind TEXT NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (company_id, kind)
);
-- `entity` names the kind behind a ledger row (invoice, payment, credit); a merge's row has none.
CREATE TABLE ledger (
    id INTEGER PRIMARY KEY AUTOINCREMENT, company_id INTEGER NOT NULL,
    client_id INTEGER NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    entity TEXT NOT NULL DEFAULT '', entity_id INTEGER NOT NULL DEFAULT 0,
    activity_id INTEGER NOT NULL, adjustment TEXT NOT NULL, balance TEXT NOT NULL, notes TEXT NOT NULL,
    created_at INTEGER, updated_at INTEGER
);
CREATE INDEX ledger_client ON ledger (client_id);
CREATE TABLE system_logs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, company_id INTEGER NOT NULL, user_id INTEGER NOT NULL,
    client_id INTEGER NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    event_id INTEGER NOT NULL, category_id INTEGER NOT NULL, type_id INTEGER NOT NULL, log TEXT NOT NULL,
    created_at INTEGER, updated_at INTEGER
);
CREATE INDEX system_logs_client ON system_logs (client_id);
-- Which seeded clients are the same company on purpose; no real server has this table.
CREATE TABLE planted (client_id INTEGER NOT NULL, duplicate_id INTEGER NOT NULL, kind TEXT NOT NULL);
CREATE TABLE webhooks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, company_id INTEGER NOT NULL, user_id INTEGER NOT NULL, target_url TEXT NOT NULL,
    event_id TEXT NOT NULL, format TEXT NOT NULL DEFAULT 'JSON', rest_method TEXT NOT NULL, headers TEXT NOT NULL,
    is_deleted INTEGER NOT NULL DEFAULT 0, created_at INTEGER, updated_at INTEGER, deleted_at INTEGER
);
CREATE TABLE designs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, company_id INTEGER NOT NULL, name TEXT NOT NULL, created_at INTEGER, updated_at INTEGER
);
